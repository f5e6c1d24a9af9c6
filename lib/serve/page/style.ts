/**
 * The style of the page: one text, sent with each page. It names no font, file
 * or address, so a browser loads nothing else.
 *
 * Each pair of colours has a contrast of 4.5 or more (WCAG 2.2, 1.4.3), in
 * light and dark.
 *
 * @module
 */

/** The style sheet. */
export const style = `
:root{color-scheme:light dark;
--page:#f5f5f2;--card:#fff;--line:#e0dfda;--text:#1b1c1e;--soft:#5b5e64;
--link:#0a5a8c;--good:#17703f;--warning:#855300;--bad:#b0261d;--busy:#0a5f85;
--s1:#8a94a6;--s2:#4f5fb0;--s3:#c27a1b;--s4:#2f8f5b;
--mono:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--page:#121315;--card:#1a1c1f;--line:#2d3034;--text:#e6e6e3;--soft:#a2a6ad;
--link:#7fc4f0;--good:#66c892;--warning:#e3b25a;--bad:#f08f86;--busy:#70c3e6;
--s1:#7d879a;--s2:#8492e4;--s3:#dd9a45;--s4:#55b581}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wrap{max-width:72rem;margin:0 auto;padding:1.25rem clamp(1rem,4vw,2.5rem) 3rem}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,
summary:focus-visible,pre:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:4px}
h1,h2,h3,p,dl,dd,ol,ul{margin:0;padding:0}
ol,ul{list-style:none}
h1{font-size:1.0625rem;font-weight:600;letter-spacing:-.005em}
h2{font-size:.9375rem;font-weight:600}
code,pre,.mono{font-family:var(--mono);font-size:.875em}
.soft{color:var(--soft)}
.good{color:var(--good)}.warning{color:var(--warning)}
.bad{color:var(--bad)}.busy{color:var(--busy)}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem;
margin-bottom:1.25rem;min-height:2.25rem}
header h1{margin-right:auto;min-width:0}
header h1 a{color:inherit;text-decoration:none}
header h1 a:hover{text-decoration:underline}
header p{font-size:.8125rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;
padding:1.25rem clamp(1rem,2.5vw,1.5rem);margin-bottom:1rem}
.card>h2{margin-bottom:.75rem}
.state{--of:var(--soft)}
.state.good{--of:var(--good)}.state.warning{--of:var(--warning)}
.state.bad{--of:var(--bad)}.state.busy{--of:var(--busy)}
.state{color:var(--text);border-left:6px solid var(--of);
padding:1.5rem clamp(1rem,2.5vw,1.5rem);padding-left:calc(clamp(1rem,2.5vw,1.5rem) - 5px)}
.word{display:flex;align-items:baseline;gap:.7rem;font-weight:600;
font-size:clamp(1.5rem,1.15rem + 1.6vw,2.125rem);line-height:1.2;letter-spacing:-.02em}
.dot{flex:none;width:.55em;height:.55em;border-radius:50%;background:var(--of)}
.word b{font-weight:inherit;min-width:0}
.word b::first-letter{text-transform:uppercase}
.why{margin-top:.75rem;max-width:65ch;color:var(--of)}
.next{margin-top:.75rem;max-width:75ch}
.next li+li{margin-top:.25rem}
dl.rows{display:grid;grid-template-columns:minmax(4.5rem,max-content) minmax(0,1fr);
gap:.45rem 1.25rem}
dl.rows dt{color:var(--soft)}
dl.rows dd+dd{grid-column:2}
.columns{display:grid;gap:1rem;margin-bottom:1rem}
.stack{display:flex;flex-direction:column;gap:1rem;min-width:0}
.stack>.card{margin:0}
.stack>.card:last-child{flex:1}
@media (min-width:60rem){.columns{grid-template-columns:minmax(0,3fr) minmax(0,2fr)}}
.once{white-space:nowrap}
.card p+p{margin-top:.25rem}
details{margin-top:.75rem}
summary{cursor:pointer;margin-bottom:.5rem}
.item+.item{margin-top:1rem;padding-top:1rem;border-top:1px solid var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;font-size:.8125rem;color:var(--soft)}
.legend svg{width:.65rem;height:.65rem;margin-right:.4rem;border-radius:2px}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.35rem 1rem;
align-items:baseline;margin-bottom:.5rem}
.bar{display:block;width:100%;height:.625rem;border-radius:3px;overflow:hidden}
.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}
.sx{fill:var(--bad)}
.attempts>li{display:grid;gap:.15rem 1rem;padding:.7rem 0;border-top:1px solid var(--line);
grid-template-columns:minmax(0,1fr) max-content;align-items:baseline}
.attempts>li>*{min-width:0}
.attempts .when{order:1;font-size:.875rem}
.attempts .took{order:2;font-size:.875rem;color:var(--soft);text-align:right}
.attempts .what{order:3;grid-column:1/-1;font-size:.9375rem}
.attempts .how{order:4;grid-column:1/-1;font-size:.875rem}
.attempts .time{order:5;grid-column:1/-1;padding:.3rem 0 .15rem}
@media (min-width:60rem){
.attempts>li{grid-template-columns:10.25rem minmax(0,1fr) minmax(0,14.5rem) 9.5rem 3.75rem;
padding:.6rem 0}
.attempts>li:last-child{padding-bottom:0}
.attempts .when,.attempts .what,.attempts .how,.attempts .time,.attempts .took{
order:0;grid-column:auto}
.attempts .time{padding:0;align-self:start;margin-top:.45rem}}
.work{margin-top:1rem}
.stages{display:grid;gap:.3rem 1rem;grid-template-columns:max-content minmax(0,1fr) max-content;
align-items:center}
.stages li{display:contents}
.stages .ms{text-align:right;color:var(--soft);font-size:.875rem}
.stages .now{font-weight:600}
.tasks{margin-top:.75rem;font-size:.875rem}
.tasks li{display:grid;grid-template-columns:minmax(0,1fr) max-content;gap:1rem}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;
font-size:.8125rem;tab-size:2}
pre.box{margin-top:1rem;padding:.75rem .9rem;border-radius:8px;background:var(--page);
border:1px solid var(--line)}
pre .soft{color:var(--soft)}
form{display:inline-flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.actions:empty{display:none}
.actions{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center}
.actions details,.actions summary{margin:0}
.actions summary{padding:.4rem 0}
.actions details[open]{flex-basis:100%}
.actions p{margin-bottom:.5rem}.actions .who{margin:0}
label{display:inline-flex;flex-wrap:wrap;gap:.5rem;align-items:center;max-width:100%}
button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);
border-radius:8px;padding:.4rem .85rem;min-height:2.5rem;max-width:100%}
button{cursor:pointer}
button:hover{border-color:var(--text)}
footer{margin-top:2rem;font-size:.8125rem;color:var(--soft)}
@media (prefers-reduced-motion:no-preference){
.state.busy .dot{animation:beat 1.6s ease-in-out infinite}
@keyframes beat{50%{opacity:.35}}}
@media (max-width:24rem){dl.rows{grid-template-columns:minmax(0,1fr);gap:0}
dl.rows dt{font-size:.8125rem;margin-top:.5rem}dl.rows dd+dd{grid-column:1}}
`;
