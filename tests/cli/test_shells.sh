# test_shells.sh: zsh and fish complete, where they are. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
mkdir -p runs/{one,two} bin
touch runs/{one,two}/{config.json,last.safetensors,state.safetensors}
ln -s "$skipper" bin/skipper
export PATH=$dir/bin:$PATH HOME=$dir
lacks=
for shell in zsh fish; do
  run 0 --completion $shell
  mv out completion.$shell
  command -v $shell >/dev/null || lacks+=" $shell"
done

# offered SHELL WANT WORD…: one of what the shell offers in place of the last word.
offered() {
  local want=$2 shell=$1
  shift 2
  called="$shell: $*"
  "complete_$shell" "$@" >out 2>err || fail "$called: exit status $?"
  grep -qxF -- "$want" out || fail "$called: $want is not offered"
}
check() {
  offered $1 train skipper tra
  offered $1 --weight-decay skipper train resnet18 --weight
  offered $1 resnet18 skipper train resn
  offered $1 cosine skipper train resnet18 --schedule c
  for words in 'eval' 'train --resume' 'report runs/one' 'train resnet18 --init'; do
    for word in runs/ runs/t; do offered $1 runs/two skipper $words $word; done
  done
}

# zsh's own functions for files and descriptions, told what it is to complete; and once as zsh itself starts completing.
if command -v zsh >/dev/null; then
  zsh -n completion.zsh || fail "zsh cannot read its script"
  complete_zsh() {
    zsh -f -c 'compdef() { : }; _files() { print -l -- ${words[CURRENT]}*(NM) }
      _describe() { local offer; for offer in ${(P)${@[-1]}}; do [[ $offer == ${words[CURRENT]}* ]] && print -r -- "${offer%%:*}"; done; true }
      source ./completion.zsh; words=("$@"); CURRENT=$#; _skipper' zsh "$@"
  }
  check zsh
  cp completion.zsh bin/_skipper
  zsh -f -c 'fpath=($PWD/bin $fpath); autoload -Uz compinit && compinit -u -D && [[ $_comps[skipper] = _skipper ]]' || fail "zsh does not find its function"
fi

if command -v fish >/dev/null; then
  fish --no-config -n completion.fish || fail "fish cannot read its script"
  complete_fish() { fish --no-config -c 'source completion.fish; complete -C "$argv"' "$@" | cut -f1; }
  check fish
fi
[ -z "$lacks" ] || { echo "skipped: no$lacks to complete in"; exit 77; }
