// The editor of cors.yaml: CodeMirror, with what it completes and where it marks
// mistakes.
import {
  EditorState, EditorView, keymap, lineNumbers, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, tooltips,
  defaultKeymap, history, historyKeymap, indentWithTab,
  HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting,
  autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap,
  lintGutter, lintKeymap, setDiagnostics, search, searchKeymap, yaml, tags,
} from './vendor/editor.js';
import { place, offers } from './complete.js';

// Colours are layout.css's, by name, so that light and dark are one theme.
const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--card)', fontSize: '.875rem', height: '100%' },
  '&.cm-focused': { outline: 'none' }, // its box has one
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { padding: '.75rem 0', caretColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--card)', color: 'var(--quiet)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--active)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--card)', border: '1px solid var(--line)', borderRadius: '.375rem' },
  // So high that all keys of a policy are seen at once.
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { maxHeight: '26rem', fontFamily: 'var(--mono)', borderRadius: '.3125rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '.125rem .5rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-tooltip.cm-completionInfo': { padding: '.5rem .75rem', width: 'max-content', maxWidth: '22rem', lineHeight: '1.45' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-diagnostic': { padding: '.375rem .625rem', maxWidth: '32rem' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--bad)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad) 1.5px', textUnderlineOffset: '3px' },
  '.cm-lint-marker-error': { content: 'none', width: '.625rem', height: '.625rem', borderRadius: '50%', backgroundColor: 'var(--bad)', margin: '.4rem .1rem' },
  '.cm-panels': { color: 'var(--text)', backgroundColor: 'var(--back)' },
});

const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: 'var(--key)' },
  { tag: [tags.string, tags.content], color: 'var(--text)' },
  { tag: [tags.lineComment, tags.comment], color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: 'var(--good)' },
  { tag: [tags.separator, tags.squareBracket, tags.brace, tags.punctuation], color: 'var(--quiet)' },
]));

// openEditor puts an editor into parent. Its label names it, and hint, the id of
// an element, describes it.
export function openEditor(parent, { text, label, hint, nonce, schema, readOnly, changed }) {
  const complete = context => {
    const at = place(context.state.doc.toString(), context.pos);
    if (!at || (!context.explicit && !at.word && at.at === 'key')) return null;
    const options = offers(schema, at).map((o, i) => ({ label: o.label, type: o.kind, info: o.info || undefined, apply: insert(o.apply), boost: -i }));
    return options.length ? { from: context.pos - at.word.length, options, validFor: /^[^\s:,\]]*$/ } : null;
  };
  const attributes = { tabindex: '0', 'aria-label': label, 'aria-describedby': hint, spellcheck: 'false', autocapitalize: 'off', translate: 'no' };
  if (readOnly) attributes['aria-readonly'] = 'true';
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        theme, colours, yaml(), indentUnit.of('  '), EditorState.tabSize.of(2),
        lineNumbers(), lintGutter(), highlightSpecialChars(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(),
        tooltips({ parent: parent.closest('main') }), // the box of the editor would cut them off, in WebKit
        bracketMatching(), indentOnInput(), history(), search({ top: true }),
        EditorView.contentAttributes.of(attributes),
        readOnly
          ? [EditorState.readOnly.of(true)]
          : [closeBrackets(), autocompletion({ override: [complete], icons: false, filterStrict: true })],
        // Tab indents, since YAML is made of that; after Escape it moves on.
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap,
          ...(readOnly ? [] : [indentWithTab])]),
        EditorView.updateListener.of(update => { if (update.docChanged) changed(); }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    replace(to) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: to } });
    },
    mark(mistakes) {
      view.dispatch(setDiagnostics(view.state, mistakes.filter(m => m.line > 0).map(m => diagnostic(view.state.doc, m))));
    },
    go(line, column) {
      const at = position(view.state.doc, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
  };
}

// insert writes a completion; a key that holds others begins their line.
const insert = text => text.endsWith('\n') ? (view, completion, from, to) => {
  const indent = view.state.doc.lineAt(from).text.match(/^\s*/)[0];
  const written = text + indent + '  ';
  view.dispatch({ changes: { from, to, insert: written }, selection: { anchor: from + written.length }, userEvent: 'input.complete' });
} : text;

// position is where a line and a column are, which count characters, not the
// units of which JavaScript's are made.
function position(doc, line, column) {
  const { from, text } = doc.line(Math.max(1, Math.min(line, doc.lines)));
  return from + [...text].slice(0, column - 1).join('').length;
}

function diagnostic(doc, { line, column, value, text }) {
  const from = position(doc, line, column);
  const rest = doc.sliceString(from, doc.lineAt(from).to);
  const at = value ? rest.indexOf(value) : -1;
  const length = at >= 0 && at <= 1 ? at + value.length : rest.replace(/\s*(?:#.*)?$/, '').length;
  return { from, to: from + Math.max(length, Math.min(1, rest.length)), severity: 'error', message: text };
}
