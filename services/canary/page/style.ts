/**
 * Dark unless the reader's system asks for light. No state is told by colour alone: each has its word and its shape.
 * "Proved" is blue ink on the page's own ground, never a green light: what counts there is the age.
 */
export const STYLE = `
:root{color-scheme:dark;--ground:#0b0f14;--panel:#131a22;--line:#263240;--ink:#e9eef4;--soft:#9fb0c3;--proved:#7cc0ff;
--late:#ffc247;--late-ground:#2c2208;--bad:#fff;--bad-ground:#b3201a;--bad-line:#ff6a5f;--hatch:#1d242d}
@media (prefers-color-scheme:light){:root{color-scheme:light;--ground:#f3f5f8;--panel:#fff;--line:#d3dbe4;--ink:#0f1720;
--soft:#526476;--proved:#0b5cad;--late:#7a4d00;--late-ground:#fff3d6;--bad:#fff;--bad-ground:#b3201a;--bad-line:#b3201a;--hatch:#e6eaef}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.45 system-ui,"Segoe UI",Roboto,"Liberation Sans",sans-serif;
font-variant-numeric:tabular-nums}
main,header,footer{max-width:1320px;margin:0 auto;padding:0 24px}
header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;padding-top:14px;padding-bottom:12px}
header strong{letter-spacing:.14em;font-size:15px}header span{color:var(--soft);font-size:14px}header .clock{margin-left:auto}header .clock b{color:var(--ink)}
a{color:inherit;text-underline-offset:3px}a:focus-visible,summary:focus-visible{outline:3px solid var(--proved);outline-offset:3px;border-radius:3px}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px;top:0;padding:10px 16px;background:var(--ink);color:var(--ground);z-index:3}.skip:focus{left:0}
[data-age]{white-space:nowrap}
h1{margin:0;font-size:clamp(26px,4.4vw,40px);line-height:1.12;font-weight:750;letter-spacing:-.015em;text-wrap:balance}
h2{margin:24px 0 9px;font-size:14px;font-weight:650;letter-spacing:.04em;color:var(--soft);scroll-margin-top:60px}
.verdict{border-radius:14px;padding:18px 24px;border:1px solid var(--line);border-left-width:8px;background:var(--panel)}
.verdict p{margin:8px 0 0;font-size:18px}.verdict .fallback{font-weight:600}
.verdict.all{border-left-color:var(--proved)}
.verdict.some{border-color:var(--late);background:var(--late-ground)}
.verdict.none{background:var(--bad-ground);border-color:var(--bad-line);color:var(--bad)}
.stale{position:sticky;top:0;z-index:2;margin:0;padding:12px 20px;background:var(--bad-ground);color:var(--bad);font-weight:700;text-align:center;border-bottom:2px solid var(--bad)}
.stale:not([hidden])~main section:not(.verdict){opacity:.6}.stale:not([hidden])~main .claim,.stale:not([hidden])~main section:has(>.claim){display:none}
.timed{position:fixed;left:0;right:0;visibility:hidden;animation:appear 1ms linear 15s forwards}@keyframes appear{to{visibility:visible}}
.soft{color:var(--soft);margin:0;font-size:15px}
.findings{list-style:none;margin:0;padding:0;display:grid;gap:8px;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}
.findings li{display:flex;gap:12px;align-items:flex-start;padding:12px 16px;border-radius:10px;border:1px solid var(--bad-line);background:var(--panel)}
.findings b{display:block;font-size:17px;line-height:1.3}.findings small{color:var(--soft);font-size:14px;display:block}
.findings svg{color:var(--bad-line);margin-top:4px}.findings a{display:inline-block;padding:6px 12px 4px 0;font-size:15px}
.shape{width:16px;height:16px;flex:none;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
table{border-collapse:collapse;width:100%}
th{font-weight:600;text-align:left;color:var(--soft);font-size:14px}
.matrix{table-layout:fixed;border-collapse:separate;border-spacing:6px;margin:0 -6px;width:calc(100% + 12px)}
.matrix thead td{width:130px}.matrix thead th{padding:0 12px 2px}.matrix thead b{white-space:nowrap}.matrix thead th b{color:var(--ink)}
.matrix tbody th{padding:0 8px 0 6px;white-space:nowrap}.matrix tbody th b{color:var(--ink);font-size:16px;display:block}
.cell{padding:9px 12px 10px;border-radius:10px;border:1px solid var(--line);background:var(--panel);vertical-align:top}
.cell .word{display:flex;gap:7px;align-items:center;font-size:14px;font-weight:600}
.cell .age{display:block;font-size:20px;font-weight:700;line-height:1.3;white-space:nowrap}
.cell .more{display:block;color:var(--soft);font-size:14px;min-height:1.45em}
.cell.proved .word{color:var(--proved)}
.cell.late{border:2px dashed var(--late);background:var(--late-ground)}.cell.late .word{color:var(--late)}
.cell.unproved{background:var(--bad-ground);border:2px solid var(--bad-line);color:var(--bad)}.cell.unproved .more{color:inherit}
.cell.not-measured{border:2px dotted var(--bad-line);background:repeating-linear-gradient(45deg,var(--panel) 0 8px,var(--hatch) 8px 16px)}
.cell .where{display:none}.cell .where b{display:block;color:var(--ink);font-size:16px}.cell.unproved .where b{color:inherit}
.strip{display:block;width:100%;height:14px;margin-top:6px;overflow:visible}
.strip rect.proved{fill:var(--proved);opacity:.6}.strip rect.partly{fill:var(--late)}.strip rect.unproved{fill:var(--bad-line)}
.strip rect.not-measured{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 3;vector-effect:non-scaling-stroke}
.cell.unproved .strip rect:not(.not-measured){fill:#fff}.cell.unproved .strip rect.not-measured{stroke:#fff}
.strip.sample{display:inline-block;width:26px;margin:0 7px 0 0;vertical-align:-1px}
.slow{display:grid;grid-template-columns:repeat(auto-fill,minmax(176px,1fr));gap:6px}.slow .cell .where{display:block;margin-bottom:3px;font-size:14px;color:var(--soft)}.slow .cell .where b{display:inline}.slow .cell.unproved .where{color:inherit}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:10px 0 0;padding:0;list-style:none;color:var(--soft);font-size:13px}
.legend .word{color:var(--ink);font-weight:600}.legend .shape{width:13px;height:13px;vertical-align:-2px;margin-right:5px}
#legend .legend{margin-top:2px}.legend-title{margin:10px 0 0;color:var(--soft);font-size:13px}.legend-title+.legend{margin-top:4px}
.columns{display:grid;grid-template-columns:minmax(0,1.55fr) minmax(0,1fr) minmax(0,1.05fr);gap:0 22px}
.box{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:14px 16px}
.box p{margin:0}.box p+p{margin-top:6px}.box table{margin-top:12px}.box>table:first-child{margin-top:0}.box .lead{font-weight:650;font-size:18px;line-height:1.3;overflow-wrap:anywhere}.box .soft{font-size:14px;overflow-wrap:anywhere}
.box.bad{border:2px solid var(--bad-line)}.box.bad>p>.shape{color:var(--bad-line);vertical-align:-2px}.box+.box{margin-top:8px}
.list td,.list th{padding:6px 12px 6px 0;border-top:1px solid var(--line);font-size:15px;text-align:left;vertical-align:top}
.list tbody th{color:var(--ink)}.list small{color:var(--soft);font-size:13.5px;font-weight:400}
.list thead th,.list thead td{border-top:0;padding-top:0;font-size:13.5px}.list .number,.rounds th{white-space:nowrap}.list tr>:last-child{padding-right:0}
.list .word{display:inline-flex;gap:7px;align-items:center;font-weight:600}.list .missed,.list .unproved,.list .not-measured{color:var(--bad-line)}.list .late{color:var(--late)}.list .proved{font-weight:400}
.ends small{display:block}.ends small a,.ends td>a{font-size:13.5px;font-weight:400}.ends .word{vertical-align:bottom}.ends tr>:last-child{text-align:right;white-space:nowrap}.ends tbody tr:first-child>*{border-top:0}.ends th{overflow-wrap:anywhere}.ends thead+tbody tr:first-child>*{border-top:1px solid var(--line)}
.times caption{text-align:left;color:var(--soft);font-size:14px;padding-bottom:6px}.times td{white-space:nowrap}.times .label{display:none}.times tr>:last-child{text-align:right}
.rounds td:nth-child(2),.rounds .word{white-space:nowrap}.rounds td:last-child,.rounds th:last-child{text-align:right}
.lines{margin:10px 0 4px;font-size:13.5px;color:var(--soft)}.line{display:grid;grid-template-columns:74px 1fr;align-items:center}.line svg{width:100%;height:24px;display:block}
.line path{fill:none;vector-effect:non-scaling-stroke;stroke:var(--proved)}.line .axis{stroke:var(--line);stroke-width:1}.line .thin{stroke-width:2}.line .heavy{stroke-width:8}.line .half{stroke:var(--panel);stroke-width:2}.line .probe{stroke:var(--ink);stroke-width:2;stroke-dasharray:3 2}
.lines .key{margin:2px 0 0}.line.scale p{display:flex;justify-content:space-between;margin:0}
details summary{cursor:pointer;color:var(--soft);font-size:15px;padding:8px 0;width:fit-content}details summary h2{display:inline;margin:0}#rounds{margin-top:20px}#rounds .box{margin-top:4px}
.runbook{max-width:760px;margin:8px 0 40px;overflow-wrap:anywhere}.runbook h2{color:var(--ink);font-size:18px}.runbook ol{padding-left:26px}.runbook li{margin:8px 0}.runbook code{font-size:.92em;background:var(--hatch);padding:1px 4px;border-radius:4px}.runbooks{padding-left:20px;line-height:2}
.note{color:var(--soft);font-size:14px;margin:16px 0 0}
footer{padding-top:20px;padding-bottom:32px}footer nav{display:flex;flex-wrap:wrap;gap:8px 22px;font-size:15px;color:var(--soft)}
@media (max-width:1180px){.columns{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.columns>:first-child{grid-column:1/-1}}
@media (max-width:820px){.columns{display:block}}
@media (max-width:760px){
body{font-size:17px}main,header,footer{padding-left:14px;padding-right:14px}.findings li{padding:9px 12px}.findings b{font-size:16.5px}.findings a{padding:3px 12px 3px 0}
header .clock{margin-left:0;flex-basis:100%}.verdict{padding:18px 16px}
.matrix,.matrix tbody{display:block;width:100%;margin:0}.matrix thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.matrix tr{display:grid;grid-template-columns:1fr 1fr;gap:6px;margin-bottom:14px}
.matrix tbody th{grid-column:1/-1;padding:4px 2px 0}.matrix tbody th b{display:inline;margin-left:6px}
.cell{padding:9px 10px 10px;min-width:0}.cell .where{display:block;font-size:14px;margin-bottom:3px;color:var(--soft)}.cell.unproved .where{color:inherit}
.cell .age{font-size:19px}.matrix .cell .where b{display:inline;margin-left:5px}.matrix .cell.proved .more{display:none}.cell .more{min-height:0}.slow{grid-template-columns:1fr 1fr}
.times thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.times,.times tbody{display:block}.times caption{display:block}.times tr{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:6px 8px;padding:8px 0;border-top:1px solid var(--line)}.times tbody th{grid-column:1/3;border:0;padding:0}.times tr>td{border:0;padding:0}.times tr>.taken{grid-column:3/-1;grid-row:1;text-align:right;white-space:normal}.times tr>td:not(.taken){font-size:14.5px;letter-spacing:-.01em}.times .label{display:block;color:var(--soft);font-size:12.5px}
.rounds thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.rounds,.rounds tbody{display:block}.rounds tr{display:grid;grid-template-columns:auto 1fr auto;gap:0 10px;padding:7px 0;border-top:1px solid var(--line)}
.rounds td{border:0;padding:0;font-size:15px}.rounds td:nth-child(2){grid-column:1/-1;grid-row:2;color:var(--soft);font-size:14px}
.line{grid-template-columns:66px 1fr}
.witnesses thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.witnesses,.witnesses tbody{display:block}.witnesses tr{display:grid;grid-template-columns:1fr auto;gap:0 10px;padding:7px 0;border-top:1px solid var(--line)}.witnesses tr>*{border:0;padding:0}.witnesses tr>:nth-child(3){grid-row:1;grid-column:2;text-align:right}.witnesses tr>:nth-child(2),.witnesses tr>:nth-child(4){color:var(--soft);font-size:14px}.witnesses tr>:nth-child(4)::before{content:attr(data-head) ' '}
}`;
