#pragma once

namespace bloom_lfs::bench {

// Of the HTML report: screens of all widths, dark ones too, and paper.
inline constexpr char kHtmlStyle[] = R"css(
:root { --paper: #fff; --ink: #1b1f24; --soft: #59636e; --rule: #d5dae0; --panel: #f5f7f9;
  --better: #0b6e4f; --worse: #b3261e; --none: #6b7480; --stock: #8a5a00; --plugin: #0a5cad; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6e9ed; --soft: #a3acb7; --rule: #343b44; --panel: #1c2128;
    --better: #4cc38a; --worse: #ff8a80; --none: #9aa4b0; --stock: #e0a94a; --plugin: #6cb3ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; color-scheme: light dark; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .25rem; }
h2.section { font-size: 1.3rem; margin-top: 2.5rem; border-top: 2px solid var(--rule); }
p { margin: .35rem 0; }
.soft { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
.panel { background: var(--panel); border-left: .3rem solid var(--plugin); padding: .6rem .9rem;
  margin: .75rem 0; }
.panel.alarm { border-color: var(--worse); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); white-space: nowrap; }
td:not(.n) { white-space: normal; overflow-wrap: anywhere; max-width: 16rem; min-width: 5rem; }
td:first-child, th:first-child { white-space: normal; min-width: 9rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; font-size: .9rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; background: var(--panel);
  padding: .5rem; margin: .35rem 0; }
svg { display: block; width: 100%; max-width: 40rem; height: auto; margin: .5rem 0; }
svg text { font-size: 10.5px; fill: var(--ink); font-family: system-ui, "DejaVu Sans", sans-serif; }
svg .label, svg .figure { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
svg .tick { font-size: 9px; fill: var(--soft); text-anchor: middle; }
svg .figure { text-anchor: end; font-variant-numeric: tabular-nums; }
svg line { stroke: var(--ink); stroke-width: 2; }
svg line.wide { stroke-width: 3; }
svg line.grid { stroke: var(--rule); stroke-width: 1; }
svg line.one { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 4 3; }
.better { fill: var(--better); color: var(--better); } svg line.better { stroke: var(--better); }
.worse { fill: var(--worse); color: var(--worse); } svg line.worse { stroke: var(--worse); }
.none { fill: var(--none); color: var(--none); } svg line.none { stroke: var(--none); }
svg .hollow { fill: var(--paper); stroke: var(--none); stroke-width: 2; }
.stock { fill: var(--stock); color: var(--stock); } svg line.stock { stroke: var(--stock); }
.plugin { fill: var(--plugin); color: var(--plugin); } svg line.plugin { stroke: var(--plugin); }
svg path.curve { fill: none; stroke-width: 1; stroke-linejoin: round; }
svg path.stock { stroke: var(--stock); } svg path.plugin { stroke: var(--plugin); stroke-width: 2; }
svg .stall { fill-opacity: .22; }
svg .note { font-size: 9px; fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
@media (max-width: 30rem) {
  svg text { font-size: 12.5px; } svg .tick, svg .note { font-size: 11px; }
  table { font-size: .8rem; } th, td { padding-right: .5rem; }
  td:first-child, th:first-child { min-width: 6rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --panel: #fff; --better: #0b6e4f;
    --worse: #b3261e; --none: #555; --stock: #8a5a00; --plugin: #0a5cad; }
  body { max-width: none; padding: 0; font-size: 10pt; color-scheme: light; }
  h2, h2 + p, tr:first-child { break-after: avoid; } svg, tr, .panel { break-inside: avoid; }
  svg { max-width: 14cm; } .scroll { overflow: visible; } table { font-size: 7.5pt; }
  th, td { padding-right: .4rem; white-space: normal; }
}
)css";

}  // namespace bloom_lfs::bench
