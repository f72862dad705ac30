// A small marketplace: sellers log in, link Mercado Pago, and sell.
import express from 'express';
import * as mp from './links.mjs';
import { hear, isGenuine } from './notifications.mjs';
import { log, testEndpoints } from './testing.mjs';

const { PORT = '8000' } = process.env;
const OWN_ORIGIN = new URL(mp.REDIRECT_URI).origin;
const isHttps = OWN_ORIGIN.startsWith('https:');
// Lax, not Strict: the callback is a navigation from Mercado Pago's site.
const COOKIE = { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps };

const IN_WORDS = {
  none: 'not linked yet',
  linked: 'linked',
  renewing: 'linked, and being renewed',
  needs_relink: 'no longer valid: please link again',
  unlinked: 'unlinked',
};

const sessions = new Map(); // hash of the cookie's value -> account

const escape = (text) => String(text).replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

/** A tagged template: every value in it is escaped. */
const html = (texts, ...values) => String.raw({ raw: texts }, ...values.map(escape));

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8">
<title>Marketplace</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<main><h1>Marketplace</h1>${body}</main></html>`;

const app = express().disable('x-powered-by').disable('etag');

app.use((request, response, next) => {
  response.set({
    'cache-control': 'no-store',
    // No form-action: Chromium applies it to redirects too, and the way to the consent page leads
    // over hosts of Mercado Pago that nobody lists.
    'content-security-policy':
      "default-src 'none'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    'referrer-policy': 'same-origin', // With no-referrer, browsers send `Origin: null`.
    'x-content-type-options': 'nosniff',
  });
  const [, id] = /(?:^|;\s*)session=([\w-]+)/.exec(request.get('cookie')) ?? [];
  request.session = mp.hash(id);
  request.account = sessions.get(request.session);
  next();
});

/** Refuse forms that other sites send in our users' names. */
function ownForm(request, response, next) {
  const origin = request.get('origin') ?? OWN_ORIGIN;
  const site = request.get('sec-fetch-site') ?? 'none';
  if (origin === OWN_ORIGIN && ['same-origin', 'none'].includes(site)) next();
  else response.status(403).send(page('<p>This form does not come from here.</p>'));
}

function loggedIn(request, response, next) {
  if (request.account !== undefined) next();
  else response.status(401).send(page('<p><a href="/">Log in</a> first.</p>'));
}

app.get('/health', (request, response) => response.json({ ok: true }));

app.get('/', (request, response) => {
  const { account } = request;
  if (account === undefined) {
    return response.send(page(`<form method="post" action="/login">
<p>An example, so without passwords: any name will do.</p>
<label>Account <input name="account" required maxlength="64" autofocus></label>
<button>Log in</button></form>`));
  }
  const { status, seller } = mp.links.get(account) ?? { status: 'none', seller: null };
  const facts = html`<p>Account: ${account}</p><p>Mercado Pago: ${IN_WORDS[status]}</p>`;
  const linked = seller ? html`<p>Seller: ${seller}</p>` : '';
  const buttons = [['/mp/link', 'Link'], ['/mp/unlink', 'Unlink'], ['/sales', 'Sell'],
    ['/logout', 'Log out']].map(([path, text]) =>
    html`<form method="post" action="${path}"><button>${text}</button></form>`);
  return response.send(page(facts + linked + buttons.join('')));
});

app.post('/login', ownForm, express.urlencoded({ extended: false }), (request, response) => {
  const account = request.body?.account;
  if (typeof account !== 'string' || !/^.{1,64}$/u.test(account)) {
    return response.status(400).send(page('<p>A name has up to 64 characters.</p>'));
  }
  // A new session each time: one that somebody planted before, or another account's, ends here.
  sessions.delete(request.session);
  const id = mp.newSecret();
  sessions.set(mp.hash(id), account);
  return response.cookie('session', id, COOKIE).redirect(303, '/');
});

app.post('/logout', ownForm, (request, response) => {
  sessions.delete(request.session);
  response.clearCookie('session', COOKIE).redirect(303, '/');
});

app.post('/mp/link', ownForm, loggedIn, (request, response) => {
  response.redirect(303, mp.startLinking(request.session, request.account));
});

// Express answers HEAD with the handler of GET, and a link scanner must not use the code up.
app.head('/mp/callback', (request, response) => response.set('allow', 'GET').sendStatus(405));

app.get('/mp/callback', async (request, response) => {
  const { session, account, query } = request;
  const problem = account === undefined
    ? 'You are not logged in here.'
    : await mp.finishLinking(session, account, query);
  if (problem === null) return response.redirect(303, '/');
  return response.status(400).send(page(html`<p>Mercado Pago was not linked. ${problem}</p>
<p><a href="/">Start again</a></p>`));
});

app.get('/mp/status', loggedIn, (request, response) => {
  const { status, seller } = mp.links.get(request.account) ?? { status: 'none', seller: null };
  response.json({ status, seller });
});

app.post('/mp/unlink', ownForm, loggedIn, (request, response) => {
  mp.unlink(request.account);
  response.redirect(303, '/');
});

app.post('/sales', ownForm, loggedIn, async (request, response) => {
  try {
    await mp.sell(request.account);
    response.json({ sold: true });
  } catch (error) {
    const mustLink = error instanceof mp.MustLink;
    log('not sold', { account: request.account, because: error.message });
    response.status(mustLink ? 409 : 503).json({
      sold: false,
      message: mustLink ? 'Link Mercado Pago first.' : 'Mercado Pago cannot be reached; try later.',
    });
  }
});

app.post('/mp/webhook', (request, response, next) => {
  const notification = {
    signature: request.get('x-signature'),
    requestId: request.get('x-request-id'),
    dataId: request.query['data.id'],
  };
  if (isGenuine(notification)) next();
  else response.sendStatus(401);
}, express.json(), (request, response) => {
  hear(request.body, request.query['data.id']);
  response.sendStatus(200);
});

app.use('/test', testEndpoints({
  ...mp,
  forget: () => [sessions, mp.attempts, mp.links].forEach((map) => map.clear()),
}));

app.use((error, request, response, next) => { // The fourth parameter makes it the error handler.
  log('failed', { because: error.constructor.name });
  if (response.headersSent) next(error);
  else response.status(error.status ?? 500).send(page('<p>That failed. <a href="/">Back</a></p>'));
});

const server = app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on http://localhost:${server.address().port}`);
});
