// What panels share.

const all = JSON.parse(document.getElementById('words').textContent);

// word is the text of key in the page's language, with what is in braces filled in.
export function word(key, values = {}) {
  if (!(key in all)) throw new Error(`there is no word for ${key}`);
  return all[key].replace(/\{(\w+)\}/g, (whole, name) => name in values ? values[name] : whole);
}

export const hasWord = key => key in all;

// The gateway's origin, '' where there is none; and whether the policy may be edited.
export const gateway = document.body.dataset.gateway;
export const mayEdit = 'edit' in document.body.dataset;

const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language);
export const number = n => whole.format(n);

// ask sends a request to the console. What changes something has to say that it
// comes from one of its pages. Body is sent as JSON, text as it is. The mode
// is not "same-origin": with that, and with no-referrer, Origin would be null.
// https://fetch.spec.whatwg.org/#append-a-request-origin-header
export function ask(path, { method = 'GET', headers = {}, body, text } = {}) {
  headers = { ...headers, 'X-Cors-Console': '1' };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    text = JSON.stringify(body);
  }
  return fetch(path, { method, headers, body: text, redirect: 'error' });
}

// clone returns the first element of a template.
export const clone = id => document.getElementById(id).content.firstElementChild.cloneNode(true);
