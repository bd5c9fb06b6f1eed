// This frame is of the other origin: it sends what the page around it asks for,
// and says what it got to see.
import { send, listen } from './send.js';

const { gateway, other } = document.body.dataset;
let stop;

window.addEventListener('message', async event => {
  if (event.origin !== other || event.source !== parent) return;
  const { name, on } = event.data;
  const answer = result => parent.postMessage({ name, result }, other);
  if (name !== 'events') {
    answer(await send(gateway, name));
    return;
  }
  stop?.();
  stop = on ? listen(gateway, answer) : undefined;
});

parent.postMessage({ ready: true }, other);
