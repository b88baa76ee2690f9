/** The style of all pages: light and dark as the reader's system has it, for a phone and a desk, without a script. */
export const STYLE = `
:root{color-scheme:light dark;--text:#1f2328;--quiet:#59636e;--line:#d1d9e0;--back:#fff;--code:#f3f5f7;--link:#0b57b0}
@media(prefers-color-scheme:dark){:root{--text:#e8edf2;--quiet:#a3adb8;--line:#3d444d;--back:#11151a;--code:#1c2229;--link:#79b8ff}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--back);color:var(--text);font:1rem/1.6 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;background:var(--back);padding:.5rem}
.top{border-bottom:1px solid var(--line);padding:.7rem 1rem}
.top ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:0;padding:0}
.top a{display:inline-block;padding:.15rem 0}
.top [aria-current]{color:var(--text);font-weight:600;text-decoration:none}
.body{max-width:78rem;margin:0 auto;padding:0 1rem 4rem}
main{min-width:0;overflow-wrap:break-word}
h1,h2,h3,h4{line-height:1.25;margin:2em 0 .6em}
h1{font-size:1.9rem;margin-top:1.4rem}
h2{font-size:1.4rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
h3{font-size:1.13rem}
h4{font-size:1rem}
:is(h1,h2,h3,h4)>a{color:inherit;text-decoration:none}
:is(h1,h2,h3,h4)>a:hover{text-decoration:underline}
code{font:.9em/1.5 ui-monospace,'SFMono-Regular',Menlo,'DejaVu Sans Mono',monospace;background:var(--code);border-radius:4px;padding:.1em .3em}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;line-height:1.45}
pre code{background:none;padding:0;font-size:.875rem}
pre.command code{-webkit-user-select:all;user-select:all}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.94rem;min-width:100%}
th,td{border:1px solid var(--line);padding:.4rem .6rem;text-align:left;vertical-align:top}
th{background:var(--code)}
td{min-width:6rem}
td :is(p,ul){margin:0}
td ul{padding-left:1.1rem}
td.number,th.number{text-align:right;min-width:0;font-variant-numeric:tabular-nums}
img{max-width:100%;height:auto}
blockquote{border-left:4px solid var(--line);color:var(--quiet);margin:1rem 0;padding:0 1rem}
.quiet{color:var(--quiet)}
.method{display:inline-block;min-width:4.2rem}
.toc{overflow-wrap:anywhere;border:1px solid var(--line);border-radius:6px;padding:.6rem 1rem;margin:1.2rem 0;max-height:45vh;overflow-y:auto;font-size:.93rem}
.toc h2{font-size:.93rem;border:0;margin:0 0 .3rem;padding:0}
.toc ul{list-style:none;margin:0;padding:0}
.toc li li{padding-left:1rem}
.toc a{display:inline-block;padding:.12rem 0;text-decoration:none}
.toc a:hover{text-decoration:underline}
@media(max-width:40rem){.top ul{flex-wrap:nowrap;overflow-x:auto}.top li{white-space:nowrap}}
@media(min-width:64rem){.body{display:grid;grid-template-columns:minmax(0,1fr) 17rem;gap:2.5rem}
.toc{grid-column:2;grid-row:1;position:sticky;top:1.2rem;align-self:start;max-height:calc(100vh - 2.4rem)}
main{grid-column:1;grid-row:1}}
@media print{.top,.toc,.skip{display:none}.body{display:block}}
`.replaceAll('\n', '')
