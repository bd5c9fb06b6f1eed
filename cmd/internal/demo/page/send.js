// What each button sends. The frame of the other origin sends the same.
const requests = {
  read: ['/users'],
  put: ['/users/1', { method: 'PUT', headers: { 'Authorization': 'Bearer demo', 'Content-Type': 'application/json' }, body: '{"name":"Augusta Ada King"}' }],
  cookie: ['/visits', { credentials: 'include' }],
  missing: ['/nowhere'],
  broken: ['/broken'],
  slow: ['/slow'],
  delete: ['/users/1', { method: 'DELETE', headers: { 'Authorization': 'Bearer demo' } }],
  private: ['/private'],
};

// send reports what the page gets to see of one answer.
export async function send(gateway, name) {
  const [path, options] = requests[name];
  try {
    const response = await fetch(gateway + path, options);
    const body = (await response.text()).trim();
    return { state: 'read', status: response.status, id: response.headers.get('X-Request-Id'), body: body.slice(0, 300) };
  } catch (error) {
    return { state: 'blocked', error: String(error) };
  }
}

// listen reports what arrives of a stream, until the function that it returns is
// called.
export function listen(gateway, report) {
  const source = new EventSource(gateway + '/events');
  source.onmessage = event => report({ state: 'read', status: 200, body: event.data });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) report({ state: 'blocked', error: 'EventSource: error' });
  };
  return () => source.close();
}
