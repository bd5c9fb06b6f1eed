// What came of a fetch: the browser's account beside the engine's.

import { clone, gateway, word } from './page.js';
import { patience } from './send.js';

const maxShown = 600;

// show puts a verdict in place of what container has. It is open where it is alone
// on its page. What is in leftOut are headers that no page may send.
export function show(container, verdict, { open = false, leftOut = [] } = {}) {
  const shown = clone('verdict');
  const $ = selector => shown.querySelector(selector);
  const elsewhere = verdict.engine.find(e => e.elsewhere)?.elsewhere;
  shown.dataset.agree = verdict.agree;
  $('.agreement').setAttribute('role', verdict.agree ? 'status' : 'alert');
  $('.differences').append(...verdict.differences.map(difference));
  if (verdict.differences.length === 0 || elsewhere) $('.differences').remove();
  fill($('.left-out'), leftOut.length > 0 && word('left-out', { names: leftOut.join(', ') }));
  keep(shown, verdict);
  verdict.engine.forEach((engine, i) => $('.fetched').append(one(verdict, engine, i, open)));
  if (verdict.arrived) {
    $('.from-browser').append(...requests(verdict.arrived.browser));
    $('.from-engine').append(...requests(verdict.arrived.engine));
  } else {
    $('.arrived').remove();
  }
  container.replaceChildren(shown);
  container.hidden = false;
  // Once it is there, so that a screen reader hears it.
  let said = word(verdict.agree ? 'agree' : 'differ');
  if (elsewhere) said = word('elsewhere', { address: elsewhere });
  else if (verdict.unreached) said += ' ' + word('unreached');
  else if (!verdict.agree && gateway.startsWith('https:') && verdict.seen[0].error) said += ' ' + word('untrusted', { gateway });
  else if (!verdict.agree) said += ' ' + word('differ-lead');
  else if (verdict.differences.length > 0) said += ' ' + word(verdict.arrived ? 'quiet-wire' : 'quiet');
  $('.agreement').textContent = said;
}

function difference(d) {
  const item = document.createElement('li');
  const part = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    item.append(element);
  };
  part('b', word(d.what));
  part('pre', word('in-browser', { value: d.browser || word('none') }));
  part('pre', word('in-engine', { value: d.engine || word('none') }));
  return item;
}

function keep(shown, verdict) {
  const offer = (selector, name, text) => {
    const button = shown.querySelector(selector);
    button.hidden = !text;
    button.addEventListener('click', () => save(name, text));
  };
  offer('.save-scenario', 'scenario.jsonl', verdict.scenario);
  offer('.save-recording', 'recording.jsonl', verdict.recording);
  shown.querySelector('.keep').hidden = verdict.differences.length === 0;
}

function save(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/jsonl' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function one(verdict, engine, i, open) {
  const block = clone('one-fetch');
  const $ = selector => block.querySelector(selector);
  const of = verdict.engine.length;
  $('.which').textContent = word('which', { n: i + 1, of });
  $('.which').hidden = of === 1;
  $('.engine .by').textContent = word('as', { browser: word(verdict.profile) });
  $('.browser').append(outcome(verdict.seen[i]));
  $('.engine').append(outcome(engine.outcome));
  const d = engine.diagnosis;
  $('.sentence').textContent = d?.sentence ?? engine.reason;
  fill($('.mend'), d?.mend && word('mend', { mend: d.mend }));
  fill($('.rule'), d?.rule?.replace(/: https:\S+$/, ''), $('.rule a'));
  if (d?.ruleURL) $('.rule a').href = d.ruleURL;
  if (engine.drawing) {
    $('.drawing').src = 'data:image/svg+xml,' + encodeURIComponent(engine.drawing);
    $('.drawing').alt = d.sentence;
    $('.as-text pre').textContent = engine.text;
    $('.exchange').open = open;
  } else {
    $('.exchange').remove();
  }
  const said = verdict.gateway;
  fill($('.gateway'), said && word(said.passed ? 'gateway-passed' : 'gateway-refused', { why: word('reason-' + said.reason, { name: said.name }) }));
  if (said) $('.config summary').textContent = word('would-allow');
  fill($('.config'), said ? !said.passed && mendText(said.mend) : d?.cors && d?.configurations?.['cors.yaml'], $('.config pre'));
  fill($('.console'), engine.console?.join('\n'), $('.console pre'));
  return block;
}

// mendText is what would make the gateway's policy allow it.
function mendText({ route, lines, flags, refused }) {
  if (lines.length > 0) return ['routes:', `  ${route}:`, ...lines.map(line => '    ' + line)].join('\n');
  return flags.length > 0 ? flags.join(' ') : refused;
}

// fill gives element a text, or takes it away where there is none.
function fill(element, text, at = element) {
  if (text) at.textContent = text;
  else element.remove();
}

function outcome(o) {
  const shown = clone('outcome');
  const $ = selector => shown.querySelector(selector);
  const verdict = $('.verdict');
  if (o.error) {
    verdict.dataset.verdict = 'refused';
    verdict.textContent = o.error === 'AbortError' ? word('timeout', { seconds: patience }) : word('blocked-error', { error: o.said ? `${o.error}: ${o.said}` : o.error });
    $('dl').remove();
    return shown;
  }
  const hidden = o.type.startsWith('opaque');
  verdict.dataset.verdict = hidden ? 'opaque' : 'allowed';
  verdict.textContent = hidden ? word('opaque') : word('read-status', { status: o.status });
  $('.type dd').textContent = o.type + (o.redirected ? `, ${o.url}` : '');
  $('.headers dd').append(...list(o.headers.map(([name, value]) => `${name}: ${value}`)));
  let body = o.body;
  if (typeof body !== 'string') body = word('body-broken', { error: body.error });
  else if (body === '') body = word('empty-body');
  $('.body dd').textContent = body.length > maxShown ? body.slice(0, maxShown) + '…' : body;
  return shown;
}

function list(lines) {
  if (lines.length === 0) return [word('none')];
  return lines.map(line => {
    const code = document.createElement('code');
    code.textContent = line;
    return code;
  });
}

function requests(all) {
  const items = all.map(request => {
    const item = document.createElement('li');
    const head = document.createElement('code');
    head.textContent = `${request.method} ${request.at}`;
    const lines = document.createElement('pre');
    lines.textContent = request.headers.map(([name, value]) => `${name}: ${value}`).join('\n');
    item.append(head, lines);
    return item;
  });
  if (items.length > 0) return items;
  const item = document.createElement('li');
  item.textContent = word('arrived-none');
  return [item];
}

