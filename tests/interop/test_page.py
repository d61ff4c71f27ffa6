#!/usr/bin/env python3
"""test_page.py: the page of skipper report in headless Chromium, on a screen, a telephone and paper, in light and dark: nothing in the console, nothing
fetched, tables that sort, colours and letters that can be read, nothing cut off.
SPDX-License-Identifier: MIT

usage: test_page.py SKIPPER [FOLDER]      The folder receives pictures of what was tested. Exit status 77 where there is no Chromium."""
import os, sys, tempfile
from browser import Browser, found
from program import skipper

if not found:
    print('skipped: no Python that drives a browser, as there is no Chromium')
    sys.exit(77)
TINY = """return {input = {channels = 1, size = 28}, recipe = {data = "digits", batch = 256, epochs = 3, lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(x), 10, {name = "fc"}) end}"""

# What all questions below may use. A background is what lies behind a letter: colours over colours, down to the page's.
TOOLS = """
  const q = (s, from = document) => [...from.querySelectorAll(s)];
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); const c = [...canvas.getImageData(0, 0, 1, 1).data]; return [...c.slice(0, 3), c[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const behind = e => { const own = rgba(getComputedStyle(e).backgroundColor); return own[3] === 1 ? own : over(own, e.parentElement ? behind(e.parentElement) : [255, 255, 255, 1]); };
  const light = c => c.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const readable = (e, of = 'color') => contrast(over(rgba(getComputedStyle(e)[of]), behind(e)), behind(e));
  const shown = e => e.checkVisibility({contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true});
  const box = e => e.getBoundingClientRect();
  const texts = () => { const all = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); while (walk.nextNode()) { const e = walk.currentNode.parentElement; if (walk.currentNode.data.trim() && !e.closest('script,style,svg title') && shown(e)) all.push(e); } return all; };
  /* Letters of figures are as large as the figure makes them. */
  const size = e => parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement ? e.getScreenCTM().a : 1);
  q('details').forEach(d => d.open = true);"""

TABLES = """
  const sorted = (a, sign) => a.every((x, i) => !i || sign * (a[i - 1] - x) <= 0);
  const button = q('table.sort th button').find(b => b.textContent === 'recall'), rows = () => [...button.closest('table').tBodies[0].rows].map(r => +r.cells[5].textContent);
  button.click(); told.up = sorted(rows(), 1);
  button.click(); told.down = sorted(rows(), -1) && button.parentNode.getAttribute('aria-sort') === 'descending';
  const matrix = q('table.matrix')[0], column = () => [...matrix.tBodies[0].rows].map(r => parseFloat(r.cells[1].innerText)), box_of_shares = q('input.shares')[0];
  box_of_shares.click(); told.shares = !shown(q('.count')[0]) && shown(q('.share')[0]);
  q('th button', matrix)[1].click(); told.matrix = column().length === 10 && sorted(column(), 1) && matrix.innerText.includes('%');
  box_of_shares.click(); q('th button', matrix)[1].click(); told.counts = sorted(column(), -1) && !matrix.innerText.includes('%');"""

CONTENTS = """
  const worst = q('.picture:not(.pair) img'), whole = (i, side) => i.complete && i.naturalWidth === side;
  told.images = worst.length === 96 && worst.every((i, n) => whole(i, n % 2 ? 224 : 28) && / taken for [0-9], confidence [0-9]+ %$/.test(i.alt));
  told.pairs = q('.pairs').length === 2 && q('.pairs > li').length === 24 && q('.pairs > li').every(li => { const [is, taken] = q('b', li).map(b => b.textContent), images = q('.pair img', li);
    return images.length === 3 && images.every(i => whole(i, 28) && new RegExp(`^${is}, taken for ${taken}, confidence [0-9]+ %$`).test(i.alt)); });
  told.why = q('figure.why').length === 48 && q('figure.why').every(f => f.children[0].offsetTop === f.children[1].offsetTop && f.children[2].offsetTop > f.children[0].offsetTop);
  told.drawn = q('.box').length === 2 && q('.box').every(b => box(b).width > 100);
  told.named = q('svg').every(s => s.getAttribute('aria-label') || s.getAttribute('aria-hidden'));
  told.roles = q('.wide').every(w => w.tabIndex === 0 && (w.tagName === 'PRE' || (w.getAttribute('role') === 'region' && w.getAttribute('aria-label')))) && q('input').every(i => i.labels.length === 1);"""

# What holds wherever the page is shown.
READING = """
  const width = document.documentElement.clientWidth;
  told.fits = document.documentElement.scrollWidth <= width && texts().every(e => e.closest('.wide') || (box(e).left >= 0 && box(e).right <= width + 0.5));
  const small = texts().filter(e => size(e) < 11.5).map(e => e.textContent + ' ' + size(e));
  told.large = !small.length || small.slice(0, 3);
  told.labels = q('.curves svg').every(s => q('text', s).every(t => box(t).left >= box(s).left - 0.5 && box(t).right <= box(s).right + 0.5));
  told.contrast = texts().every(e => e.ownerSVGElement ? readable(e, 'fill') >= 4.5 : readable(e) >= 4.5);
  const cells = q('.matrix td'), strong = new Set(cells.map(c => getComputedStyle(c).backgroundColor)).size > 20;
  told.cells = cells.length === 200 && strong && cells.every(c => readable(c) >= 4.5);
  for (const kind of ['right', 'wrong']) q('.matrix td.' + kind).forEach((c, i) => c.style.setProperty('--s', i % 3 / 2)); /* none, half and all of a class */
  told.extremes = cells.every(c => readable(c) >= 4.5) && contrast(behind(q('.matrix td.right')[2]), behind(document.body)) > 1.5;"""

PAPER = """
  q('details').forEach(d => d.open = false);
  told.opened = q('details').length > 8 && q('details table, details dl, details svg').every(shown);
  told.whole = q('.wide').every(w => getComputedStyle(w).overflowX === 'visible') && q('.wide, .wide table').every(w => box(w).right <= document.documentElement.clientWidth + 0.5);
  told.controls = q('input, input + label').every(i => !shown(i));
  told.white = contrast(behind(document.body), [255, 255, 255, 1]) < 1.01;
  told.coloured = q('.matrix td').every(c => getComputedStyle(c).printColorAdjust === 'exact');
  told.beside = q('.pairs > li').every(li => new Set(q('.pair', li).map(p => box(p).top)).size === 1);
  told.together = q('figure, tr, .matrix, .pairs > li').every(f => getComputedStyle(f).breakInside === 'avoid');"""


def look(browser, name, questions, width, scheme='light', media=''):
    browser.open(os.path.abspath('page.html'), width, scheme, media)
    told = browser.ask('(() => { const told = {};' + TOOLS + ''.join(questions) + ' return told; })()')
    print(name, told)
    assert all(x is True for x in told.values()), (name, {k: x for k, x in told.items() if x is not True})
    assert not browser.said, browser.said
    assert all(a.startswith('data:') or a.endswith('/page.html') for a in browser.asked), browser.asked
    if len(sys.argv) > 2:
        browser.open(os.path.abspath('page.html'), width, scheme, media)
        browser.picture(os.path.join(sys.argv[2], name + '.png'))


def test_keys(browser):
    """Tab reaches the button of a column, which shows that it has the focus, and Enter sorts."""
    browser.open(os.path.abspath('page.html'), 1200)
    browser.ask("document.querySelector('.matrix').closest('.wide').focus()")
    browser.press('Tab')
    assert browser.ask("document.activeElement.closest('.matrix th') !== null && getComputedStyle(document.activeElement).outlineStyle === 'solid'")
    browser.press('Enter', '\r')
    assert browser.ask("document.activeElement.parentNode.getAttribute('aria-sort') === 'ascending'")


with tempfile.TemporaryDirectory(prefix='skipper-page-') as folder:
    if len(sys.argv) > 2:
        sys.argv[2] = os.path.abspath(sys.argv[2])
    os.chdir(folder)
    open('tiny.lua', 'w').write(TINY)
    for run, lr in (('one', '0.1'), ('two', '0.05')):
        skipper('train', 'tiny.lua', '--out', run, '--lr', lr, '--backend', 'reference')
    skipper('report', 'one', 'two', '--out', 'page.html', '--why', '--backend', 'reference')
    with Browser(os.path.join(folder, 'profile')) as browser:
        for scheme in ('light', 'dark'):
            look(browser, 'screen-' + scheme, (TABLES, CONTENTS, READING), 1200, scheme)
            look(browser, 'telephone-' + scheme, (READING,), 400, scheme)
            look(browser, 'paper-' + scheme, (PAPER, READING), 718, scheme, 'print')
        look(browser, 'column', (READING,), 700)
        test_keys(browser)
        browser.open(os.path.abspath('page.html'), 1200, 'dark')
        pdf = browser.pdf()
        assert pdf.startswith(b'%PDF') and pdf.count(b'/Type /Page\n') + pdf.count(b'/Type /Page ') >= 5, 'it does not print'
        if len(sys.argv) > 2:
            open(os.path.join(sys.argv[2], 'page.pdf'), 'wb').write(pdf)
