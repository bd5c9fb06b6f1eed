import { send, listen } from './send.js';

const { gateway, other } = document.body.dataset;
const text = JSON.parse(document.getElementById('text').textContent);
const frame = document.getElementById('frame');
const output = (name, from) => document.querySelector(`[data-try="${name}"] [data-from="${from}"]`);

// show writes a result, in words and in state.
function show(name, from, result) {
  const to = output(name, from);
  to.dataset.state = result.state;
  to.replaceChildren();
  const add = (className, content) => {
    const part = document.createElement('span');
    part.className = className;
    part.textContent = content;
    to.append(part, ' ');
  };
  switch (result.state) {
    case 'waiting':
      add('verdict', text.waiting);
      break;
    case 'read':
      add('verdict', `${text.read} ${result.status}`);
      if (result.id) add('detail', `X-Request-Id: ${result.id}`);
      add('body', result.body);
      break;
    case 'blocked':
      add('verdict', text.blocked);
      add('detail', result.error);
  }
}

// The frame of the other origin answers when it has loaded.
const frameReady = new Promise(resolve => {
  window.addEventListener('message', event => {
    if (event.origin !== other || event.source !== frame.contentWindow) return;
    if (event.data.ready) resolve();
    else if (stop || event.data.name !== 'events') show(event.data.name, 'other', event.data.result);
  });
  frame.src = other + '/frame';
});

async function ask(message) {
  await frameReady;
  frame.contentWindow.postMessage(message, other);
}

let stop;
function toggleEvents(button) {
  const on = !stop;
  button.setAttribute('aria-pressed', on);
  button.textContent = on ? text.stop : text.send;
  ask({ name: 'events', on });
  if (on) {
    for (const from of ['this', 'other']) show('events', from, { state: 'waiting' });
    stop = listen(gateway, result => show('events', 'this', result));
    return;
  }
  stop();
  stop = undefined;
}

async function trySending(name) {
  for (const from of ['this', 'other']) show(name, from, { state: 'waiting' });
  ask({ name });
  show(name, 'this', await send(gateway, name));
}

for (const item of document.querySelectorAll('[data-try]')) {
  const name = item.dataset.try;
  const button = item.querySelector('button');
  button.addEventListener('click', () => name === 'events' ? toggleEvents(button) : trySending(name));
}

document.getElementById('all').addEventListener('click', async () => {
  for (const item of document.querySelectorAll('[data-try]')) {
    if (item.dataset.try !== 'events') await trySending(item.dataset.try);
  }
});

// What the gateway decided, the newest first.
const log = document.getElementById('log');
new EventSource('/decisions').onmessage = event => {
  const d = JSON.parse(event.data);
  const row = document.getElementById('decision').content.firstElementChild.cloneNode(true);
  const fill = (name, value) => { row.querySelector('.' + name).textContent = value; };
  row.dataset.state = d.allowed ? 'read' : 'blocked';
  fill('time', d.time);
  fill('kind', text[d.kind]);
  fill('request', `${d.method} ${d.path}`);
  fill('origin', d.origin);
  fill('verdict', d.allowed ? text.allowed : text.refused);
  fill('reason', d.allowed ? '' : text['reason-' + d.reason] + (d.name ? ` ${d.name}` : ''));
  log.prepend(row);
  while (log.children.length > 20) log.lastElementChild.remove();
  document.getElementById('empty').hidden = true;
};
