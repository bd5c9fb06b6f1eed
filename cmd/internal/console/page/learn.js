import { number, word } from './page.js';
import { play } from './send.js';
import { show } from './verdict.js';

const cards = [...document.querySelectorAll('[data-example]')];

// run has the browser and the engine perform an example, and shows both.
export async function run(name) {
  const card = cards.find(c => c.dataset.example === name);
  const button = card.querySelector('.run');
  const result = card.querySelector('.result');
  button.disabled = true;
  try {
    const verdict = await play('learn', { example: name });
    show(result, verdict);
    card.dataset.agree = verdict.agree;
    return verdict;
  } catch (error) {
    result.hidden = false;
    result.textContent = word('failed', { error: error.message });
    throw error;
  } finally {
    button.disabled = false;
  }
}

export const names = cards.map(card => card.dataset.example);

for (const card of cards) {
  card.querySelector('.run').addEventListener('click', () => run(card.dataset.example).catch(() => {}));
}

const all = document.getElementById('all');
all.addEventListener('click', async () => {
  const sum = document.getElementById('sum');
  all.disabled = true;
  let same = 0;
  for (const [i, name] of names.entries()) {
    sum.textContent = word('running', { n: number(i + 1), of: number(names.length) });
    const verdict = await run(name).catch(() => undefined);
    if (verdict?.agree) same++;
  }
  all.disabled = false;
  sum.textContent = word(same === names.length ? 'all-agree' : 'not-all-agree', { n: number(same), of: number(names.length) });
});
