// The chart of decisions over time. The table below it says the same in words.
import uPlot from './vendor/chart.js';

// mix is a colour with a share of another in it; both are #rgb or #rrggbb.
function mix(colour, other, share) {
  const parts = hex => (hex.length === 4 ? [...hex.slice(1)].map(d => d + d) : hex.match(/[0-9a-f]{2}/gi)).map(h => parseInt(h, 16));
  const [a, b] = [parts(colour), parts(other)];
  return `rgb(${a.map((n, i) => Math.round(n * (1 - share) + b[i] * share)).join(' ')})`;
}

// colours has one for each series: allowed is green, refusals are reds that get
// lighter, so that each differs from the next without its hue.
export function colours(series) {
  let refusals = 0;
  return series.map(s => s.verdict === 'allowed' ? style('--good') : mix(style('--bad'), style('--card'), Math.min(.75, .25 * refusals++)));
}

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// openChart puts a chart into parent. What it returns draws series of counts, the
// first at the bottom and the others on top.
export function openChart(parent, language) {
  let chart;
  let last;  // what was drawn
  let drawn; // which series
  const size = () => ({ width: Math.max(200, parent.clientWidth), height: 180 });

  function build(series) {
    chart?.destroy();
    const whole = new Intl.NumberFormat(language);
    const axis = { stroke: style('--quiet'), grid: { stroke: style('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    chart = new uPlot({
      ...size(),
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_, min, max) => [0, Math.max(1, max)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 28, space: 70, incrs: [1, 2, 5, 10, 30, 60, 180, 360].map(minutes => minutes * 60), values: (_, times) => times.map(t => clock.format(new Date(t * 1000))) },
        { ...axis, size: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000], values: (_, ns) => ns.map(n => whole.format(n)) },
      ],
      series: [{}, ...colours(series).map(fill => (
        { fill, stroke: fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [1, Infinity], gap: 0 }) }
      )).reverse()],
    }, [[], ...series.map(() => [])], parent);
  }

  function draw(times, series) {
    last = [times, series];
    const key = series.map(s => `${s.verdict} ${s.reason}`).join();
    if (!chart || key !== drawn) {
      build(series);
      drawn = key;
    }
    // Each stands on those below it; the highest is drawn first.
    const sums = times.map(() => 0);
    const stacked = series.map(s => s.counts.map((n, i) => sums[i] += n));
    chart.setData([times, ...stacked.reverse()]);
  }
  new ResizeObserver(() => chart?.setSize(size())).observe(parent);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawn = undefined;
    if (last) draw(...last);
  });
  return draw;
}
