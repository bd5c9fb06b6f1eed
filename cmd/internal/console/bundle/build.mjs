// Writes ../page/vendor, or the folder that is named, and with it
// ../testdata/axe.min.js: npm ci && npm run build
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [to = join(here, '../page/vendor'), tests = join(here, '../testdata')] = process.argv.slice(2);

await rm(to, { recursive: true, force: true });
await mkdir(to, { recursive: true });
await mkdir(tests, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ['editor.js', 'chart.js'],
  outdir: to,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox115', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  banner: { js: '// The licences are in LICENSES.txt. Built by bundle/build.mjs.' },
  metafile: true,
});
await copyFile(join(here, 'node_modules/uplot/dist/uPlot.min.css'), join(to, 'chart.css'));
await copyFile(join(here, 'node_modules/axe-core/axe.min.js'), join(tests, 'axe.min.js'));

const packages = new Set(Object.keys(metafile.inputs).map(path => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]).filter(Boolean));
const licences = await Promise.all([...packages].sort().map(async name => {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(await readFile(join(folder, 'package.json')));
  const file = (await readdir(folder)).find(file => /^licen[cs]e/i.test(file));
  if (!file) throw new Error(`${name} has no file with its licence`);
  const text = (await readFile(join(folder, file), 'utf8')).trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}));
await writeFile(join(to, 'LICENSES.txt'), licences.join('\n' + '-'.repeat(79) + '\n\n'));
