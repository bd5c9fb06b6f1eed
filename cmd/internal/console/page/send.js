// Fetching in the visitor's browser, and asking the console about it.

import { ask } from './page.js';

// How long an answer is waited for.
export const patience = 15;

// perform fetches, and reports what a script of this page sees of it. Strings that
// are bytes on the wire hold a character for each.
export async function perform({ url, ...init }) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patience * 1000);
  try {
    const response = await fetch(url, { cache: 'no-store', ...init, signal: abort.signal });
    const body = await response.text().catch(error => ({ error: error.name }));
    return { type: response.type, status: response.status, redirected: response.redirected, url: response.url, headers: [...response.headers], body };
  } catch (error) {
    return { error: error.name, said: error.message };
  } finally {
    clearTimeout(timer);
  }
}

// A Refusal is the console's: mistakes says all that is wrong.
export class Refusal extends Error {
  constructor(mistakes) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}

export async function post(path, body) {
  const response = await ask(path, { method: 'POST', body });
  if (response.ok) return response.json();
  const text = (await response.text()).trim();
  if (response.status !== 422) throw new Error(text || `${response.status}`);
  throw new Refusal(JSON.parse(text).mistakes);
}

const lang = document.documentElement.lang;

// play has the browser perform what is in asked, an example or a scenario, and then
// the engine: it returns how they compare.
export async function play(panel, asked) {
  const { id, cookie, fetches } = await post(`/${panel}/run`, asked);
  document.cookie = cookie;
  const seen = [];
  for (const f of fetches) seen.push(await perform(f)); // one after the other: they share a cache
  const verdict = await post(`/${panel}/verdict`, { id, lang, outcomes: seen });
  verdict.seen.forEach((outcome, i) => { outcome.said = seen[i].said; });
  return verdict;
}

// tryOut does the same with a request of the gateway.
export async function tryOut(f, browser) {
  const seen = await perform(f);
  const verdict = await post('/try/verdict', { fetch: f, seen, browser, lang });
  verdict.seen[0].said = seen.said;
  return verdict;
}
