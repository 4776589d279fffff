/** As plain as a notice on a town hall's door; light or dark as the reader's system is. No state is told by colour alone. */
export const STATUS_STYLE = `
:root{color-scheme:light;--ground:#f5f6f8;--panel:#fff;--line:#d5dce4;--ink:#10181f;--soft:#50616f;--proved:#0b5cad;--bad:#b3201a;--bad-ink:#fff;--half:#7a4d00;--half-ground:#fff3d6}
@media (prefers-color-scheme:dark){:root{color-scheme:dark;--ground:#0b0f14;--panel:#141b23;--line:#2a3644;--ink:#edf1f5;--soft:#a6b5c5;--proved:#7cc0ff;--bad:#b3201a;--bad-ink:#fff;--half:#ffc247;--half-ground:#2c2208}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:18px/1.5 system-ui,"Segoe UI",Roboto,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
header,main,footer,#stale>div{max-width:780px;margin:0 auto;padding:0 20px}
header{display:flex;justify-content:space-between;gap:16px;align-items:baseline;padding-top:18px;padding-bottom:14px;color:var(--soft);font-size:16px}
header strong{color:var(--ink);letter-spacing:.12em;font-size:15px}
a{color:inherit;text-underline-offset:3px}a:focus-visible,summary:focus-visible{outline:3px solid var(--proved);outline-offset:3px;border-radius:3px}
#stale{background:var(--bad);color:var(--bad-ink);padding:18px 0}#stale strong{display:block;font-size:clamp(24px,5vw,34px);line-height:1.15}#stale p{margin:6px 0 0}
.timed{visibility:hidden;height:0;overflow:hidden;animation:appear 1ms linear 330s forwards}@keyframes appear{to{visibility:visible;height:auto;overflow:visible}}
.old .verdict{background:var(--panel);color:var(--ink);border:1px solid var(--line)}.old .verdict h1,.old .verdict .meaning,.old .devices .word{display:none}.old .verdict .written{border:0;margin:0;padding:0;color:var(--ink);font-size:18px}.old .devices li{border:2px dashed var(--soft)}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
h1{margin:0;font-size:clamp(28px,6vw,44px);line-height:1.12;letter-spacing:-.015em;text-wrap:balance}
h2{margin:38px 0 12px;font-size:20px}
.verdict{background:var(--panel);border:1px solid var(--line);border-left:8px solid var(--proved);border-radius:14px;padding:24px}
.verdict p{margin:10px 0 0}.verdict .written{color:var(--soft);font-size:16px;border-top:1px solid var(--line);padding-top:12px;margin-top:16px}
.verdict.partly,.verdict.not-measured{border-color:var(--half);background:var(--half-ground)}
.verdict.unproved{background:var(--bad);border-color:var(--bad);color:var(--bad-ink)}.verdict.unproved .written{color:inherit;border-color:#ffffff66}
.devices{list-style:none;margin:0;padding:0;display:grid;gap:10px;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr))}
.devices li{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:16px 18px}
.devices li.unproved{border:3px solid var(--bad)}.devices li.not-measured{border:2px dashed var(--half)}
.devices b{font-size:19px}.devices small{color:var(--soft);font-size:16px;display:block}.devices p{margin:8px 0 0}.devices .word{font-weight:650;display:flex;gap:9px;align-items:center}
.devices .proved .word{color:var(--proved)}.shape{width:18px;height:18px;flex:none;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.row{margin-top:16px}.row p{margin:0 0 4px;font-weight:600}.bars{display:block;width:100%;height:44px}
.bars .whole{fill:var(--proved);opacity:.55}.bars .bad{fill:var(--bad)}.bars .unknown{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:3 3;vector-effect:non-scaling-stroke}
@media (prefers-color-scheme:dark){.bars .bad{fill:#ff6a5f}}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:4px 0 0;padding:0;color:var(--soft);font-size:15px}.legend .bars{display:inline-block;width:12px;height:22px;margin-right:7px;vertical-align:-5px}
.help{color:var(--soft);font-size:16px;margin:0}
details{margin-top:16px}summary{cursor:pointer;padding:6px 0;width:fit-content}table{border-collapse:collapse;width:100%;font-size:16px;margin-top:8px}caption{text-align:left;font-weight:600;padding:10px 0 4px}
th,td{text-align:left;padding:6px 12px 6px 0;border-top:1px solid var(--line)}td{white-space:nowrap}thead th{border:0;color:var(--soft);font-weight:600}
.how,.danger{margin:34px 0 0}.danger{font-weight:600}.demo{background:var(--half-ground);border:1px dashed var(--half);border-radius:10px;padding:10px 14px;font-size:16px;margin:0 0 12px}
footer{color:var(--soft);font-size:16px;padding-top:26px;padding-bottom:40px}footer nav{display:flex;flex-wrap:wrap;gap:6px 20px}`;
