// The form of a request, in Try and in play.

import { word } from './page.js';
import { Refusal } from './send.js';

// headersIn reads a header from each line of a field.
export function headersIn(field, name) {
  const headers = [];
  const mistakes = [];
  field.value.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const colon = line.indexOf(':', line.startsWith(':') ? 1 : 0);
    if (colon < 0) mistakes.push(word('no-colon', { field: name, line: i + 1, text: line }));
    else headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  });
  if (mistakes.length > 0) throw new Refusal(mistakes);
  return headers;
}

export const linesOf = headers => headers.map(([name, value]) => `${name}: ${value}`).join('\n');

// read is the fetch that the form asks for.
export function read(form) {
  const value = name => form.elements[name].value;
  const f = {
    url: value('url').trim(), method: value('method').trim(), headers: headersIn(form.elements.headers, word('headers')),
    mode: value('mode'), credentials: value('credentials'), redirect: value('redirect'), cache: value('cache'),
  };
  if (value('body') !== '') f.body = value('body');
  return f;
}

// leftOut are the names of the headers that a page cannot set: the browser drops
// them, and says nothing.
export function leftOut({ mode, headers }) {
  try {
    const sent = new Request('/', { mode, headers }).headers;
    return headers.map(([name]) => name).filter(name => !sent.has(name));
  } catch {
    return []; // the fetch itself tells what is wrong
  }
}

// write puts a fetch into the form.
export function write(form, f) {
  const set = (name, value) => { form.elements[name].value = value; };
  set('url', f.url);
  set('method', f.method ?? 'GET');
  set('headers', linesOf(f.headers ?? []));
  set('mode', f.mode || 'cors');
  set('credentials', f.credentials || 'same-origin');
  set('redirect', f.redirect || 'follow');
  set('cache', f.cache || 'no-store');
  set('body', f.body ?? '');
}

// onSend has send perform the form whenever it is submitted.
export function onSend(form, problem, result, send) {
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    button.disabled = true;
    button.textContent = word('sending');
    tell(problem);
    try {
      await send();
    } catch (error) {
      result.hidden = true;
      tell(problem, error);
    } finally {
      button.disabled = false;
      button.textContent = word('send');
    }
  });
}

// tell shows what is wrong, or nothing.
export function tell(problem, error) {
  problem.hidden = !error;
  problem.replaceChildren();
  if (!error) return;
  const lead = document.createElement('p');
  if (!(error instanceof Refusal)) {
    lead.textContent = word('failed', { error: error.message });
    problem.append(lead);
    return;
  }
  lead.textContent = word('problem');
  const list = document.createElement('ul');
  list.append(...error.mistakes.map(mistake => {
    const item = document.createElement('li');
    item.textContent = mistake;
    return item;
  }));
  problem.append(lead, list);
}
