import { ask, clone, gateway, hasWord, mayEdit, number, word } from './page.js';

const $ = id => document.getElementById(id);

let force = { text: $('text').defaultValue, tag: '', path: '', undo: 0 }; // what is in force
let known = '';      // the tag of what was in force when the text was begun
let checked = null;  // the text that was found to have no mistake
let busy = false;    // while a change is under way
let turn = 0;        // of asking and changing: an answer to an earlier one is out of date

const changed = () => {
  checked = null;
  show();
  checkSoon();
};

let editor = plain($('text'));
if (mayEdit) $('text').addEventListener('input', changed);

// plain is the editor where there is no other.
function plain(area) {
  return {
    text: () => area.value,
    replace(to) {
      area.value = to;
      changed();
    },
    mark() {},
    go(line, column) {
      const lines = area.value.split('\n');
      const at = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + [...lines[line - 1] ?? ''].slice(0, column - 1).join('').length;
      area.focus();
      area.setSelectionRange(at, at);
    },
    focus: () => area.focus(),
  };
}

// The better editor comes when it has loaded, and takes over what is written by
// then. If it does not come, nothing is amiss.
async function better() {
  const [{ openEditor }, response] = await Promise.all([import('./editor.js'), ask('/policy/schema.json')]);
  const schema = await response.json();
  const area = $('text');
  const focused = document.activeElement === area;
  const opened = openEditor($('editor'), {
    text: area.value, label: word('label'), hint: 'hint', nonce: $('editor').dataset.nonce, schema, readOnly: !mayEdit, changed,
  });
  area.hidden = true;
  $('editor').classList.add('open');
  editor = opened;
  if (focused) editor.focus();
}

// Whether and how the text differs from what is in force.

const edited = () => editor.text() !== force.text;

function show(message) {
  const state = busy ? 'busy' : !edited() ? 'same' : checked === editor.text() ? 'ready' : 'edited';
  $('state').dataset.state = state;
  say($('state'), message ?? word('state-' + state));
  if (!mayEdit) return;
  $('apply').disabled = state !== 'ready';
  $('discard').disabled = busy || !edited();
  $('undo').disabled = busy || edited() || force.undo === 0;
}

// sum tells in a sentence for each effect what there is below it.
function sum(sentences) {
  const texts = Object.values(sentences);
  const summary = $('summary');
  if ([...summary.children].map(span => span.textContent).join() === texts.join()) return;
  summary.replaceChildren(...Object.entries(sentences).map(([effect, text]) => {
    const span = document.createElement('span');
    span.dataset.effect = effect;
    span.textContent = text;
    return span;
  }));
}

// say changes a text that is read aloud when it changes.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Checking, a moment after the last key.

let timer;
let check = 0; // the number of the latest one

function checkSoon() {
  clearTimeout(timer);
  check++;
  if (!edited()) {
    tellMistakes([]);
    tellChanges(null);
    return;
  }
  timer = setTimeout(checkNow, 300);
}

async function checkNow() {
  const number = ++check;
  const text = editor.text();
  const answer = await send('/policy/check', text);
  if (number !== check || !answer) return;
  if (answer.code) {
    tellMistakes([{ line: 0, text: answer.error }]);
    tellChanges(null);
    return;
  }
  tellMistakes(answer.mistakes);
  tellChanges(answer.mistakes.length === 0 ? answer.replay ?? null : null);
  if (answer.mistakes.length === 0) checked = text;
  show();
}

// maxSize is the most that the console reads; it says so too, but a browser that
// is still sending may not hear it.
const maxSize = 512 * 1024;

async function send(path, text) {
  if (text !== undefined && new Blob([text]).size > maxSize) return { code: 'long', error: word('long', { n: number(maxSize / 1024) }) };
  try {
    const response = await ask(path, { method: 'POST', text: text ?? '', headers: { 'If-Match': known } });
    if (response.headers.get('Content-Type') === 'application/json') return await response.json();
    return { code: 'refused', error: await response.text() };
  } catch {
    return { code: 'unreachable', error: word('unreachable') };
  }
}

function tellMistakes(mistakes) {
  editor.mark(mistakes);
  $('mistakes').hidden = mistakes.length === 0;
  $('mistakes').replaceChildren(...mistakes.map(m => {
    const item = clone('mistake');
    const button = item.querySelector('button');
    item.querySelector('.text').textContent = m.text;
    if (m.line > 0) {
      button.textContent = word('line', { line: m.line, column: m.column });
      button.addEventListener('click', () => editor.go(m.line, m.column));
    } else {
      button.remove();
    }
    return item;
  }));
  if (mistakes.length > 0) sum({ mistakes: word(mistakes.length === 1 ? 'summary-mistake' : 'summary-mistakes', { n: number(mistakes.length) }) });
}

function tellChanges(replay) {
  if (replay === null) {
    $('changes').hidden = true;
    $('unlisted').hidden = true;
    if ($('mistakes').hidden) sum({ idle: word(mayEdit ? 'summary-same' : 'summary-read-only') });
    return;
  }
  const n = number(replay.requests);
  const sentences = {};
  for (const effect of ['refused', 'allowed', 'other']) {
    if (replay[effect]) sentences[effect] = word('summary-' + effect, { changed: number(replay[effect]), n });
  }
  if (replay.requests === 0) sentences.idle = word('summary-unseen');
  else if (Object.keys(sentences).length === 0) sentences.none = word('summary-nothing', { n });
  sum(sentences);
  $('changes').replaceChildren(...replay.changes.map(change));
  $('changes').hidden = replay.changes.length === 0;
  const left = [];
  if (replay.unlisted) left.push(word('unlisted', { n: number(replay.unlisted) }));
  if (replay.left) left.push(word('left', { n: number(replay.left) }));
  $('unlisted').textContent = left.join(' ');
  $('unlisted').hidden = left.length === 0;
}

function change(c) {
  const item = clone('change');
  const fill = (name, text) => { item.querySelector('.' + name).textContent = text; };
  item.querySelector('.verdict').dataset.verdict = c.effect;
  fill('verdict', word('effect-' + c.effect));
  fill('times', c.count === 1 ? '' : word('times', { n: number(c.count) }));
  fill('kind', word(c.kind));
  fill('method', c.method);
  fill('path', gateway.endsWith('//' + c.host) ? c.path : c.host + c.path);
  fill('origin', c.origin || '–');
  const decided = c.effect === 'allowed' ? c.before : c.after;
  fill('why', c.effect === 'upstream' ? `${c.before.upstream || '–'} → ${c.after.upstream || '–'}`
    : c.effect === 'refused' ? reason(decided) : c.effect === 'allowed' ? word('until-now', { why: reason(decided) }) : '');
  item.querySelector('.answers').append(...(c.effect === 'answer' ? c.answers : []).flatMap(difference));
  return item;
}

function reason({ verdict, reason, name }) {
  if (verdict === 'passed') return word('reason-passed');
  return hasWord('reason-' + reason) ? word('reason-' + reason, { name }) : `${reason} ${name}`.trim();
}

function difference({ name, before, after }) {
  const dt = document.createElement('dt');
  const dd = document.createElement('dd');
  dt.textContent = name;
  const value = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text || word('none');
    return element;
  };
  dd.append(value('del', before), ' → ', value('ins', after));
  return [dt, dd];
}

// Changing what is in force.

async function put(path, text, done) {
  busy = true;
  turn++;
  show();
  const answer = await send(path, text);
  busy = false;
  if (answer.text !== undefined) {
    force = answer;
    known = answer.tag;
    checked = null;
    if (editor.text() !== answer.text) editor.replace(answer.text);
    tellMistakes([]);
    tellChanges(null);
    show(done());
    return;
  }
  const before = force.tag;
  if (answer.code === 'changed') await look().catch(() => {});
  if (force.tag === before && $('trouble').hidden) {
    const mistakes = answer.mistakes ?? [{ line: 0, text: answer.error }];
    tellMistakes(mistakes);
    if (mistakes.every(m => m.line === 0)) sum({ mistakes: word('summary-unapplied') }); // it is not the text that is at fault
  }
  checked = null;
  show(word('state-refused'));
}

const now = () => new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date());
const inForce = () => word(force.path ? 'applied-file' : 'applied-memory', { time: now(), path: force.path });

// conflict tells that somebody else has changed the policy.
function conflict(is) {
  $('trouble').querySelector('p').textContent = is ? word('changed') : '';
  $('trouble').hidden = !is;
}

// look asks what is in force: somebody may have edited the file.
async function look() {
  const at = ++turn;
  const response = await ask('/policy/state', force.tag ? { headers: { 'If-None-Match': force.tag } } : {});
  if (response.status !== 200) return;
  const answer = await response.json();
  if (at !== turn) return;
  const first = known === '';
  const own = edited();
  force = answer;
  if (first || !own) {
    known = force.tag;
    if (!own && editor.text() !== force.text) editor.replace(force.text);
  } else {
    conflict(known !== force.tag && edited());
    if (!edited()) known = force.tag;
  }
  checkSoon();
  show();
}

if (mayEdit) {
  $('apply').addEventListener('click', () => put('/policy/apply', editor.text(), inForce));
  $('undo').addEventListener('click', () => put('/policy/undo', undefined, inForce));
  $('discard').addEventListener('click', () => {
    editor.replace(force.text);
    conflict(false);
    known = force.tag;
    editor.focus();
  });
  $('load').addEventListener('click', () => $('discard').click());
  $('keep').addEventListener('click', () => {
    known = force.tag;
    conflict(false);
    checkNow();
    editor.focus();
  });
}

// What is downloaded is what is to be seen.
$('download').addEventListener('click', event => {
  const link = event.currentTarget;
  if (!edited()) {
    link.href = '/policy/cors.yaml';
    return;
  }
  link.href = URL.createObjectURL(new Blob([editor.text()], { type: 'application/yaml' }));
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
});

window.addEventListener('beforeunload', event => {
  if (mayEdit && edited()) event.preventDefault();
});

show();
better().catch(error => console.warn('the plain editor stays:', error)).then(look).catch(() => {});
setInterval(() => {
  if (document.visibilityState === 'visible' && !busy) look().catch(() => {});
}, 3000);
