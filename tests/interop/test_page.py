#!/usr/bin/env python3
"""test_page.py: the page of skipper report in headless Chromium: nothing in the console, nothing fetched, tables sort, a telephone has room for it.
SPDX-License-Identifier: MIT

usage: test_page.py SKIPPER      Exit status 77 where there is no Chromium."""
import os, re, shutil, subprocess, sys, tempfile
from program import skipper

browser = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
if not browser:
    print('skipped: no Python that drives a browser, as there is no Chromium')
    sys.exit(77)
TINY = """return {input = {channels = 1, size = 28}, recipe = {data = "digits", batch = 256, epochs = 3, lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(x), 10, {name = "fc"}) end}"""
PROBE = """<script>addEventListener('load', () => {
  const told = {}, q = s => document.querySelectorAll(s);
  document.querySelectorAll('details').forEach(d => d.open = true);
  const button = [...q('table.sort th button')].find(b => b.textContent === 'recall'), rows = () => [...button.closest('table').tBodies[0].rows].map(r => +r.cells[5].textContent);
  button.click(); told.up = rows().every((x, i, a) => !i || a[i - 1] <= x);
  button.click(); told.down = rows().every((x, i, a) => !i || a[i - 1] >= x) && button.parentNode.getAttribute('aria-sort') === 'descending';
  q('input.shares')[0].click(); told.shares = getComputedStyle(q('.share')[0]).display !== 'none' && getComputedStyle(q('.count')[0]).display === 'none';
  const matrix = q('table.matrix')[0], shown = () => [...matrix.tBodies[0].rows].map(r => parseFloat(r.cells[1].innerText));
  matrix.querySelectorAll('th button')[1].click(); told.matrix = shown().length === 10 && shown().every((x, i, a) => !i || a[i - 1] <= x) && matrix.innerText.includes('%');
  q('input.shares')[0].click(); matrix.querySelectorAll('th button')[1].click(); told.counts = shown().every((x, i, a) => !i || a[i - 1] >= x) && !matrix.innerText.includes('%');
  told.labels = [...q('.curves svg')].every(s => [...s.querySelectorAll('text')].every(t => t.getBBox().x >= 0));
  const worst = [...q('.picture:not(.pair) img')];
  told.images = worst.length === 96 && worst.every((i, n) => i.complete && i.naturalWidth === (n % 2 ? 224 : 28) && i.alt);
  told.pairs = q('.pairs').length === 2 && q('.pairs > li').length === 24 && [...q('.pairs > li')].every(li => { const [is, taken] = [...li.querySelectorAll('b')].map(b => b.textContent), images = [...li.querySelectorAll('.pair img')];
    return images.length === 3 && images.every(i => i.complete && i.naturalWidth === 28 && new RegExp(`^${is}, taken for ${taken}, confidence [0-9]+ %$`).test(i.alt)); });
  told.why = q('figure.why').length === 48 && [...q('figure.why')].every(f => f.children[0].offsetTop === f.children[1].offsetTop && f.children[2].offsetTop > f.children[0].offsetTop);
  told.drawn = q('.box').length === 2 && [...q('.box')].every(b => b.getBoundingClientRect().width > 100);
  told.named = [...q('svg')].every(s => s.getAttribute('aria-label') || s.getAttribute('aria-hidden'));
  told.fetched = performance.getEntriesByType('resource').every(e => e.name.startsWith('data:'));
  document.body.style.width = '376px'; document.body.style.boxSizing = 'border-box'; told.narrow = document.body.scrollWidth <= 400;
  const light = (a => a.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0));
  const rgb = (e, p) => light(getComputedStyle(e)[p].match(/[\\d.]+/g).slice(0, 3).map(Number));
  const ground = rgb(document.body, 'backgroundColor'), ratio = x => (Math.max(x, ground) + 0.05) / (Math.min(x, ground) + 0.05);
  told.contrast = ['body', 'caption', 'small', 'svg text'].every(s => ratio(rgb(q(s)[0], s === 'svg text' ? 'fill' : 'color')) >= 4.5);
  document.title = JSON.stringify(told);
});</script></body>"""

with tempfile.TemporaryDirectory(prefix='skipper-page-') as folder:
    os.chdir(folder)
    open('tiny.lua', 'w').write(TINY)
    for run, lr in (('one', '0.1'), ('two', '0.05')):
        skipper('train', 'tiny.lua', '--out', run, '--lr', lr, '--backend', 'reference')
    skipper('report', 'one', 'two', '--out', 'page.html', '--why', '--backend', 'reference')
    page = open('page.html').read()
    open('page.html', 'w').write(page.replace('</body>', PROBE))
    for mode in ('light', 'dark'):
        words = ['--blink-settings=preferredColorScheme=0'] if mode == 'dark' else []
        done = subprocess.run([browser, '--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr', '--virtual-time-budget=5000', f'--user-data-dir={folder}/profile',
                               *words, '--dump-dom', f'file://{folder}/page.html'], capture_output=True, text=True, timeout=120)
        console = [line for line in done.stderr.splitlines() if 'CONSOLE' in line]
        assert not console, console
        told = re.search(r'<title>(.*?)</title>', done.stdout)
        told = eval(told.group(1).replace('true', 'True').replace('false', 'False').replace('&quot;', '"'))
        assert len(told) == 14 and all(told.values()), (mode, told)
        print(mode, told)
