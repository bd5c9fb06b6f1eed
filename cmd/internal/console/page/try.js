import { gateway, word } from './page.js';
import { Refusal, tryOut } from './send.js';
import { leftOut, onSend, read, write } from './request.js';
import { show } from './verdict.js';

const form = document.getElementById('request');
const problem = document.getElementById('problem');
const result = document.getElementById('result');

// The engine remembers what this browser does: its preflights and cookies. Its name
// lasts as long as the browser's own memory may.
function browser() {
  const key = 'cors-console-browser';
  let name = localStorage.getItem(key);
  if (!name) localStorage.setItem(key, name = crypto.randomUUID());
  return name;
}

// toGateway is the address as a URL of the gateway: nothing else is asked.
function toGateway(address) {
  let url;
  try {
    url = new URL(address, gateway);
  } catch {
    throw new Refusal([word('no-url', { address })]);
  }
  if (url.origin !== gateway) throw new Refusal([word('not-gateway', { address, gateway })]);
  if (form.elements.fresh.checked) url.searchParams.set('cors-try', crypto.randomUUID().slice(0, 8));
  return url.href;
}

export async function send() {
  const f = read(form);
  f.url = toGateway(f.url);
  const verdict = await tryOut(f, browser());
  show(result, verdict, { open: true, leftOut: leftOut(f) });
  return verdict;
}

onSend(form, problem, result, send);

// Requests to begin with.
for (const button of document.querySelectorAll('[data-start]')) {
  button.addEventListener('click', () => {
    const { method, path, headers, body } = JSON.parse(button.dataset.start);
    write(form, { url: gateway + path, method, headers: Object.entries(headers ?? {}), body });
    form.elements.url.focus();
  });
}
