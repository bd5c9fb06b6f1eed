// What the JSON Schema of cors.yaml offers where someone writes. Nothing here
// knows a key by name.

// place says where in the document a position is: the keys above it, whether a
// key or a value stands there, the text of it so far, and the keys beside it.
// It reads indentation alone, so that it works while the text is no YAML yet.
export function place(text, position) {
  const lines = text.slice(0, position).split('\n');
  const line = lines.length - 1;
  const before = lines[line];
  if (/^\s*#|\s#/.test(before)) return null;
  const all = text.split('\n');
  const own = before.match(/^(\s*)((?:- +)*)/);
  let indent = own[1].length;
  const rest = before.slice(own[0].length);
  const colon = rest.match(/^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#:[{][^#]*?):(?: +|$)(.*)$/);
  const path = above(all, line, indent, own[2] !== '');
  if (!colon) {
    if (own[2]) return { path, at: 'item', word: rest };
    return { path, at: 'key', word: rest, beside: beside(all, line, indent) };
  }
  const key = unquote(colon[1]);
  const value = colon[2];
  if (value.startsWith('[')) {
    if (value.includes(']')) return null;
    const word = value.slice(1).split(',').at(-1).trimStart();
    return { path: [...path, key], at: 'item', word };
  }
  return { path: [...path, key], at: 'value', word: value };
}

// above lists the keys in whose values a line of that indentation is. An item of
// a list may be indented no more than the key of the list.
function above(lines, line, indent, isItem) {
  const path = [];
  let limit = isItem ? indent + 1 : indent;
  for (let i = line - 1; i >= 0 && limit > 0; i--) {
    const found = lines[i].match(/^(\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#[{-][^#]*?):(?:\s|$)/);
    if (!found || found[1].length >= limit) continue;
    path.unshift(unquote(found[2]));
    limit = found[1].length;
  }
  return path;
}

// beside lists the keys of the mapping that a line belongs to.
function beside(lines, line, indent) {
  const keys = new Set();
  const look = (from, step) => {
    for (let i = from; i >= 0 && i < lines.length; i += step) {
      if (/^\s*(#|$)/.test(lines[i])) continue;
      const at = lines[i].match(/^\s*/)[0].length;
      if (at < indent) return;
      const key = lines[i].match(/^\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#[{-][^#]*?):(?:\s|$)/);
      if (at === indent && key) keys.add(unquote(key[1]));
    }
  };
  look(line - 1, -1);
  look(line + 1, 1);
  return keys;
}

function unquote(key) {
  if (key.startsWith('"')) {
    try {
      return JSON.parse(key);
    } catch {
      return key.slice(1, -1);
    }
  }
  return key.startsWith("'") ? key.slice(1, -1) : key.trim();
}

// offers lists what may stand at a place, each with what it is called, what is
// written for it, its kind, and what the schema says of it.
export function offers(schema, at) {
  const here = at.path.reduce((nodes, key) => nodes.flatMap(node => child(schema, node, key)), resolve(schema, schema));
  if (at.at === 'key') {
    return here.flatMap(node => Object.entries(node.properties ?? {}))
      .filter(([key]) => !at.beside.has(key))
      .map(([key, property]) => ({
        label: key,
        apply: key + (holds(schema, property, 'object') ? ':\n' : ': '),
        kind: 'property',
        info: property.description ?? resolve(schema, property)[0]?.description ?? '',
      }));
  }
  // A list of one is also written as that one.
  const items = here.flatMap(node => node.items ? resolve(schema, node.items) : []);
  const nodes = at.at === 'item' ? items : [...here, ...items];
  const found = new Map();
  const add = (value, info) => {
    const label = String(value);
    if (!found.has(label)) found.set(label, { label, apply: scalar(value), kind: 'enum', info: info ?? '' });
  };
  for (const node of nodes) {
    if ('const' in node) add(node.const, node.description);
    for (const value of node.enum ?? []) add(value, node.default === value ? node.description : '');
    if (node.type === 'boolean') [true, false].forEach(value => add(value, ''));
    for (const value of node.examples ?? []) add(value, '');
  }
  return [...found.values()];
}

function child(schema, node, key) {
  if (node.properties?.[key]) return resolve(schema, node.properties[key]);
  return typeof node.additionalProperties === 'object' ? resolve(schema, node.additionalProperties) : [];
}

const holds = (schema, node, type) => resolve(schema, node).some(n => n.type === type);

// resolve lists the schemas that a value may be of: what a $ref names, and each
// of anyOf.
function resolve(schema, node, depth = 0) {
  if (depth > 16) return [];
  if (node.$ref) {
    const target = node.$ref.slice(2).split('/').reduce((at, key) => at?.[key], schema);
    return target ? resolve(schema, target, depth + 1) : [];
  }
  const choices = (node.anyOf ?? []).flatMap(choice => resolve(schema, choice, depth + 1));
  return [node, ...choices];
}

// scalar writes a value so that YAML reads it as itself.
function scalar(value) {
  if (typeof value !== 'string') return String(value);
  return /^[A-Za-z0-9][^*,[\]{}#]*$/.test(value) && !/: |:$/.test(value) && !['true', 'false', 'null'].includes(value) ? value : JSON.stringify(value);
}
