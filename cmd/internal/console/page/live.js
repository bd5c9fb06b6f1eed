import { ask, clone, gateway, hasWord, number, word } from './page.js';

const maxRows = 200;
const $ = id => document.getElementById(id);
const log = $('log');
const filters = $('filters');
const pause = $('pause');

let source;
let paused = false;
let waiting = []; // what came since the pause, the newest last
let skipped = 0;

// Rows of decisions, the newest first.

const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

// row shows d in r, a row that is no longer needed, or in a new one.
function row(d, r = clone('decision')) {
  const fill = (selector, text) => {
    r.querySelector(selector).textContent = text;
    r.querySelector(selector).title = text;
  };
  r.dataset.verdict = d.allowed ? 'allowed' : 'refused';
  fill('.time', clock.format(new Date(d.time)));
  r.querySelector('.time').title = d.time;
  fill('.verdict', word(d.allowed ? 'allowed' : 'refused'));
  r.querySelector('.shadow').title = d.shadow ? word('shadow-why') : '';
  r.querySelector('.shadow').textContent = d.shadow ? word('shadow') : '';
  fill('.kind', word(d.kind));
  r.querySelector('.kind').classList.toggle('hidden', d.kind === 'actual'); // it goes without saying
  fill('.method', d.method);
  fill('.path', d.path);
  r.querySelector('.path').title = d.host + d.path;
  fill('.origin code', d.origin);
  fill('.reason', d.allowed ? '' : why(d));
  return r;
}

function why(d) {
  const key = 'reason-' + d.reason;
  return hasWord(key) ? word(key, { name: d.name }) : `${d.reason} ${d.name}`.trim();
}

function show(decisions) {
  const shown = decisions.slice(-maxRows).reverse();
  const old = [...log.children].slice(maxRows - shown.length);
  log.prepend(...shown.map(d => row(d, old.pop())));
  $('empty').hidden = log.children.length > 0;
}

function note(data) {
  skipped += data.skipped;
  if (paused) {
    waiting.push(...data.decisions);
    skipped += Math.max(0, waiting.length - maxRows);
    waiting = waiting.slice(-maxRows);
  } else {
    show(data.decisions);
  }
  tellSkipped();
}

function tellSkipped() {
  const parts = [];
  if (paused && waiting.length > 0) parts.push(word('waiting', { n: number(waiting.length) }));
  if (skipped > 0) parts.push(word('skipped', { n: number(skipped) }));
  $('skipped').textContent = parts.join(' ');
  $('skipped').hidden = parts.length === 0;
}

pause.addEventListener('click', () => {
  paused = !paused;
  pause.setAttribute('aria-pressed', paused);
  pause.textContent = word(paused ? 'resume' : 'pause');
  if (!paused) {
    show(waiting);
    waiting = [];
  }
  tellSkipped();
  state(source ? 'connected' : 'disconnected');
});

// The stream. A page that nobody looks at leaves it: browsers keep six
// connections to a host, for all their tabs.

function state(name) {
  const shown = paused ? 'paused' : name;
  $('connection').dataset.state = shown;
  if ($('connection').textContent !== word(shown)) $('connection').textContent = word(shown);
}

function connect() {
  source?.close();
  const query = new URLSearchParams(new FormData(filters));
  const s = source = new EventSource('/live/events?' + query);
  s.onopen = () => {
    // The past is told again.
    log.replaceChildren();
    waiting = [];
    skipped = 0;
    const filtered = [...query.values()].some(value => value !== '');
    $('empty').textContent = word(filtered ? 'empty-filtered' : 'empty');
    $('empty').hidden = false;
    tellSkipped();
    state('connected');
  };
  s.onerror = async () => {
    state('disconnected');
    if (s.readyState !== EventSource.CLOSED) return;
    // The browser gives up where it is answered with an error, and does not say with which.
    setTimeout(() => { if (s === source) connect(); }, 5000);
    const response = await ask('/live/history').catch(() => undefined);
    if (response && s === source) state(response.status === 403 ? 'other-token' : 'too-many');
  };
  const on = (name, f) => s.addEventListener(name, event => { if (s === source) f(JSON.parse(event.data)); });
  on('decisions', note);
  on('counts', tellCounts);
  on('origins', tellOrigins);
}

function visit() {
  if (document.visibilityState === 'visible') {
    connect();
    tellHistory();
  } else {
    source?.close();
    source = undefined;
  }
}

document.addEventListener('visibilitychange', visit);

let typing;
filters.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(connect, 250);
});
filters.addEventListener('submit', event => event.preventDefault());

function tellCounts(counts) {
  for (const name of ['allowed', 'refused', 'notCORS', 'perSecond']) {
    const n = counts[name];
    $('count-' + name).textContent = number(name === 'perSecond' && n < 10 ? Math.round(n * 10) / 10 : Math.round(n));
  }
}

// What a page gets of it is in its console; here it is what the gateway decides.
for (const button of document.querySelectorAll('[data-example]')) {
  const { method, path, headers, body } = JSON.parse(button.dataset.example);
  button.addEventListener('click', () => fetch(gateway + path, { method, headers: headers ?? {}, body: body || undefined }).catch(() => {}));
}

// Who is refused most. What is open stays open.

function tellOrigins({ origins, others }) {
  const list = $('origins');
  const old = new Map([...list.children].map(item => [item.dataset.key, item]));
  const items = origins.map(o => {
    const key = JSON.stringify([o.origin, o.reason, o.name, o.route]);
    const item = old.get(key) ?? clone('refused-origin');
    item.dataset.key = key;
    item.querySelector('.origin').textContent = o.origin || '–';
    item.querySelector('.times').textContent = word('times', { n: number(o.count) });
    item.querySelector('.why').textContent = why(o);
    item.querySelector('.route').textContent = o.route === '/' ? '' : o.route; // one alone tells nothing apart
    tellMend(item, o.mend);
    return item;
  });
  if (items.length !== list.children.length || items.some((item, i) => item !== list.children[i])) {
    const focused = document.activeElement;
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus();
  }
  $('origins-empty').hidden = items.length > 0;
  $('origins-others').hidden = others === 0;
  $('origins-others').textContent = word('origins-others', { n: number(others) });
}

function tellMend(item, mend) {
  const lead = item.querySelector('.mend-lead');
  const pre = item.querySelector('pre');
  let text = '';
  if (mend.lines.length > 0) {
    lead.textContent = word('mend-lines');
    text = ['routes:', `  ${mend.route}:`, ...mend.lines.map(line => '    ' + line)].join('\n');
  } else if (mend.flags.length > 0) {
    lead.textContent = word('mend-flags');
    text = mend.flags.join(' ');
  } else if (mend.refused) {
    lead.textContent = word('mend-refused');
    text = mend.refused;
  } else {
    lead.textContent = word('mend-none');
  }
  if (pre.textContent !== text) pre.textContent = text;
  pre.hidden = text === '';
}

// What was decided over time.

const span = () => document.querySelector('[name="span"]:checked').value;

async function tellHistory() {
  const response = await ask('/live/history?span=' + span());
  if (!response.ok) return;
  const { times, series } = await response.json();
  const rows = series.map(s => ({ ...s, sum: s.counts.reduce((a, b) => a + b, 0) })).sort((a, b) => (b.verdict === 'allowed') - (a.verdict === 'allowed') || b.sum - a.sum);
  const total = rows.reduce((a, s) => a + s.sum, 0);
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: 'percent', maximumFractionDigits: 1 });
  const shown = colours?.(rows);
  draw?.(times, rows);
  $('history').querySelector('tbody').replaceChildren(...rows.map((s, i) => {
    const tr = document.createElement('tr');
    tr.dataset.verdict = s.verdict;
    if (shown) tr.style.setProperty('--swatch', shown[i]);
    const th = document.createElement('th');
    th.scope = 'row';
    th.textContent = s.verdict === 'allowed' ? word('allowed') : `${word('refused')}: ${hasWord('short-' + s.reason) ? word('short-' + s.reason) : s.reason}`;
    const cells = [number(s.sum), percent.format(s.sum / total)].map(text => {
      const td = document.createElement('td');
      td.className = 'number';
      td.textContent = text;
      return td;
    });
    tr.append(th, ...cells);
    return tr;
  }));
  $('history').hidden = rows.length === 0;
  $('history-empty').hidden = rows.length > 0;
}

// The chart shows what the table says, once it has loaded.
let draw;
let colours;
import('./chart.js').then(chart => {
  colours = chart.colours;
  draw = chart.openChart($('chart'), document.documentElement.lang);
  return tellHistory();
}).catch(error => console.warn('there is no chart:', error));

document.querySelector('.switch').addEventListener('change', tellHistory);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => tellHistory().catch(() => {})); // the table has the chart's colours
setInterval(() => { if (source) tellHistory().catch(() => {}); }, 2000);

visit();
