"""browser.py: a page in headless Chromium, asked and changed over a pipe (the DevTools protocol, of which no library is needed).
SPDX-License-Identifier: MIT"""
import base64, json, os, shutil, subprocess

found = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')


class Browser:
    """Opens one page of a file. `said` are the lines of its console, `asked` the addresses that it asked for."""

    def __init__(self, profile):
        own, theirs = os.pipe(), os.pipe()

        def hand_over():  # Chromium reads commands from descriptor 3 and answers on 4
            first, second = os.dup(own[0]), os.dup(theirs[1])
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen([found, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={profile}', '--remote-debugging-pipe', 'about:blank'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=hand_over)
        os.close(own[0])
        os.close(theirs[1])
        self.to, self.of, self.number, self.rest = own[1], theirs[0], 0, b''
        self.session, self.said, self.asked, self.loaded = None, [], [], False
        targets = self.tell('Target.getTargets')['targetInfos']
        page = next(t['targetId'] for t in targets if t['type'] == 'page')
        self.session = self.tell('Target.attachToTarget', targetId=page, flatten=True)['sessionId']
        for part in ('Page', 'Runtime', 'Log', 'Network'):
            self.tell(part + '.enable')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def receive(self):
        while b'\0' not in self.rest:
            more = os.read(self.of, 1 << 20)
            assert more, 'the browser has ended'
            self.rest += more
        line, self.rest = self.rest.split(b'\0', 1)
        return json.loads(line)

    def note(self, event):
        what, of = event.get('method'), event.get('params')
        self.loaded = self.loaded or what == 'Page.loadEventFired'
        if what == 'Network.requestWillBeSent':
            self.asked.append(of['request']['url'])
        elif what in ('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded'):
            self.said.append(of)

    def tell(self, what, **of):
        self.number += 1
        command = {'id': self.number, 'method': what, 'params': of}
        if self.session:
            command['sessionId'] = self.session
        left = json.dumps(command).encode() + b'\0'
        while left:
            left = left[os.write(self.to, left):]
        while True:
            answer = self.receive()
            if answer.get('id') == self.number:
                assert 'error' not in answer, (what, answer)
                return answer['result']
            self.note(answer)

    def open(self, path, width, scheme='light', media=''):
        """`width` in pixels; `scheme`: light, dark; `media`: print, or '': as it is, which is a screen unless it prints."""
        self.said, self.asked, self.loaded = [], [], False
        self.tell('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.tell('Emulation.setEmulatedMedia', media=media, features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        self.tell('Page.navigate', url='file://' + path)
        while not self.loaded:
            self.note(self.receive())

    def ask(self, script):
        """What an expression of the page gives."""
        answer = self.tell('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result'].get('value')

    def press(self, key, text=''):
        for kind in ('keyDown', 'keyUp'):
            self.tell('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode={'Tab': 9, 'Enter': 13}[key], **({'text': text} if kind == 'keyDown' else {}))

    def picture(self, path):
        """The whole page as a PNG."""
        size = self.tell('Page.getLayoutMetrics')['cssContentSize']
        png = self.tell('Page.captureScreenshot', captureBeyondViewport=True, clip={**size, 'scale': 1})['data']
        open(path, 'wb').write(base64.b64decode(png))

    def pdf(self):
        """As it prints on A4."""
        return base64.b64decode(self.tell('Page.printToPDF', paperWidth=8.27, paperHeight=11.69, printBackground=True)['data'])
