/** The probe page: both languages at once, since it hangs on a wall; what it says of itself is filled in by its script. */
export function probeHtml(): string {
  return `<!doctype html>
<html lang="fr" data-view="none" data-state="waiting">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Sonde Tocsin · Tocsin probe</title>
<link rel="stylesheet" href="/probe.css">
<link rel="icon" href="/probe-icon.svg">
<link rel="manifest" href="/probe.webmanifest">
<script type="module" src="/probe.js"></script>
</head>
<body>
<header>
<b>SONDE TOCSIN · TOCSIN PROBE</b> <span id="name"></span>
<p><span lang="fr">Récepteur d’essai : cet appareil reçoit des essais techniques chaque minute, et les alertes réelles. Ne pas l’éteindre.</span>
<span lang="en">Test receiver: this device gets technical tests each minute, and real alerts. Do not switch it off.</span></p>
</header>
<main>
<noscript><p>Cette page a besoin de JavaScript. · This page needs JavaScript.</p></noscript>
<section id="watch" hidden>
<p id="word" role="status"></p>
<p id="age"></p>
<p id="what"></p>
<p id="handed"></p>
<p id="real"></p>
<p id="bad"></p>
</section>
<form id="enrol" autocomplete="off" hidden>
<label for="code"><span lang="fr">Code donné par l’astreinte</span><span lang="en">Code given by the engineer on call</span>
<input id="code" required minlength="8" maxlength="20" spellcheck="false" autocapitalize="characters"></label>
<label for="label"><span lang="fr">Nom de cet appareil</span><span lang="en">Name of this device</span>
<input id="label" required maxlength="60" placeholder="Standard, Nice"></label>
<button id="start"><span lang="fr">Devenir récepteur</span><span lang="en">Become a receiver</span></button>
<p id="problem" role="alert"></p>
</form>
<section id="unsupported" hidden>
<p><span lang="fr">Ce navigateur ne peut pas être récepteur : il faut Push, les service workers et Ed25519 (Firefox 129, Chrome 137 ou plus récent), hors navigation privée, en https.</span>
<span lang="en">This browser can’t be a receiver: Push, service workers and Ed25519 are needed (Firefox 129, Chrome 137 or later), no private window, over https.</span></p>
</section>
</main>
<footer><p id="lock"></p></footer>
</body>
</html>
`;
}
