// What page/chart.js needs of uPlot.
export { default } from 'uplot';
