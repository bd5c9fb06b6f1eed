import { clone, word } from './page.js';
import { Refusal, play } from './send.js';
import { headersIn, leftOut, linesOf, onSend, read, tell, write } from './request.js';
import { show } from './verdict.js';

const $ = id => document.getElementById(id);
const form = $('request');
const problem = $('problem');
const result = $('result');
const hops = $('hops');
const examples = JSON.parse($('examples').textContent);

// A state is a scenario: what the page fetches, and what the servers answer. A link
// holds it after version and dot, as JSON in base64url.
const version = '1';
const maxLink = 64 << 10;
const maxFetches = 3;
const maxHops = 6;

export function encode(scenario) {
  const bytes = new TextEncoder().encode(JSON.stringify(scenario));
  let binary = '';
  for (const b of bytes) binary += String.fromCharCode(b);
  return `${version}.${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

export function decode(state) {
  if (state.length > maxLink) throw new Refusal([word('link-long', { n: maxLink })]);
  const [, v, text] = /^(\w+)\.([\w-]+)$/.exec(state) ?? [];
  if (!text) throw new Refusal([word('link-broken')]);
  if (v !== version) throw new Refusal([word('link-version', { version: v })]);
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const scenario = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, c => c.charCodeAt(0))));
    const fits = (list, most) => list === undefined || Array.isArray(list) && list.length <= most;
    const any = scenario.fetches ?? scenario.hops; // of null this throws
    if (any && fits(scenario.fetches, maxFetches) && fits(scenario.hops, maxHops)) return scenario;
  } catch {
    // It is refused below.
  }
  throw new Refusal([word('link-broken')]);
}

// stateIn finds the state in a link, or in what is after its #.
function stateIn(link) {
  const i = link.indexOf('#');
  return i < 0 ? link.trim() : link.slice(i + 1).trim();
}

// The form.

function addHop(hop) {
  const item = clone('hop');
  hops.append(item);
  for (const side of item.querySelectorAll('[data-side]')) {
    const answer = hop[side.dataset.side];
    side.querySelector('input').value = answer.status;
    side.querySelector('.lines').value = linesOf(answer.headers);
    const content = side.querySelector('.content');
    if (content) content.value = answer.body ?? '';
  }
  item.querySelector('.remove').addEventListener('click', () => {
    item.remove();
    number();
    $('add').focus();
  });
  number();
  return item;
}

// number says at which path each answer is.
function number() {
  const items = [...hops.children];
  items.forEach((item, i) => {
    item.querySelector('legend').textContent = word('answer-at', { n: i });
    const remove = item.querySelector('.remove');
    remove.hidden = items.length === 1;
    remove.setAttribute('aria-label', `${word('remove')}: ${word('answer-at', { n: i })}`);
    for (const side of item.querySelectorAll('[data-side]')) side.setAttribute('aria-label', `${word('answer-at', { n: i })}: ${word(side.dataset.side)}`);
  });
  $('add').disabled = items.length >= maxHops;
}

const fresh = () => ({
  actual: { status: 200, headers: [['Access-Control-Allow-Origin', '{A}']], body: 'hello' },
  preflight: { status: 204, headers: [['Access-Control-Allow-Origin', '{A}'], ['Access-Control-Allow-Methods', '*'], ['Access-Control-Allow-Headers', '*']], body: '' },
});

// load puts a scenario into the form. What it is not sure to be is put right: the
// console judges it when it is sent.
export function load(scenario) {
  const list = x => Array.isArray(x) ? x : [];
  const headers = x => list(x).map(h => [String(h?.[0] ?? ''), String(h?.[1] ?? '')]);
  const answer = a => ({ status: Number(a?.status) || 200, headers: headers(a?.headers), body: String(a?.body ?? '') });
  const fetches = list(scenario?.fetches);
  const f = fetches[0] ?? {};
  write(form, { ...f, url: String(f.url ?? '{B}/0'), headers: headers(f.headers) });
  form.elements.times.value = Math.min(Math.max(fetches.length, 1), maxFetches);
  hops.replaceChildren();
  const given = list(scenario?.hops).slice(0, maxHops);
  if (given.length === 0) given.push(fresh());
  for (const hop of given) addHop({ actual: answer(hop?.actual), preflight: answer(hop?.preflight) });
}

// state is the scenario that the form describes.
export function state() {
  const side = (item, name) => {
    const of = item.querySelector(`[data-side="${name}"]`);
    const where = `${item.querySelector('legend').textContent}, ${word(name)}`;
    return { status: Number(of.querySelector('input').value), headers: headersIn(of.querySelector('.lines'), where), body: of.querySelector('.content')?.value ?? '' };
  };
  return {
    id: 'play',
    fetches: Array(Number(form.elements.times.value)).fill(read(form)),
    hops: [...hops.children].map(item => ({ actual: side(item, 'actual'), preflight: side(item, 'preflight') })),
  };
}

export const linkOf = scenario => `${location.origin}/play#${encode(scenario)}`;

export async function send() {
  const scenario = state();
  const link = linkOf(scenario);
  history.replaceState(null, '', link);
  $('link').value = link;
  const verdict = await play('play', { scenario });
  show(result, verdict, { open: true, leftOut: leftOut(scenario.fetches[0]) });
  return verdict;
}

onSend(form, problem, result, send);

// fill loads what get returns, and leaves the form as it is where that fails.
function fill(get) {
  tell(problem);
  result.hidden = true;
  try {
    load(get());
    refreshLink();
  } catch (error) {
    tell(problem, error);
  }
}

// refreshLink keeps the link that of the form.
function refreshLink() {
  try {
    $('link').value = linkOf(state());
  } catch {
    $('link').value = ''; // a line is being written
  }
}

form.addEventListener('input', event => {
  if (event.target !== $('link') && event.target !== $('begin')) refreshLink();
});

$('add').addEventListener('click', () => {
  addHop(fresh()).querySelector('input').focus();
  refreshLink();
});

hops.addEventListener('click', event => {
  if (event.target.matches('.remove')) refreshLink();
});

$('begin').addEventListener('change', () => {
  if ($('begin').value) fill(() => examples[$('begin').value]);
});

// A link that is pasted is opened.
$('link').addEventListener('change', () => {
  if ($('link').value) fill(() => decode(stateIn($('link').value)));
});

$('copy').addEventListener('click', async () => {
  const link = $('link');
  try {
    link.value = linkOf(state());
    tell(problem);
  } catch (error) {
    tell(problem, error);
    return;
  }
  try {
    await navigator.clipboard.writeText(link.value);
    $('copied').textContent = word('copied');
  } catch {
    link.select(); // it is left to the visitor
    $('copied').textContent = word('copy-yourself');
  }
});

// What the address asks for. A link is not sent before the visitor says so.
load({});
const query = new URLSearchParams(location.search);
if (query.has('state')) fill(() => decode(query.get('state')));
else if (examples[query.get('example')]) fill(() => examples[query.get('example')]);
else if (location.hash.length > 1) fill(() => decode(stateIn(location.hash)));
else refreshLink();
window.addEventListener('hashchange', () => fill(() => decode(stateIn(location.hash))));
