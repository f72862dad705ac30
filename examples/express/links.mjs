// Everything about linking that must be right whatever the framework. It keeps what it knows in
// this process's memory: put a database behind `attempts` and `links`, and keep the rules.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { clock, failAt, log } from './testing.mjs';

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

function setting(name) {
  if (process.env[name]) return process.env[name];
  console.error(`${name} is not set; README.md lists what is needed`);
  return process.exit(1); // At the start, rather than with client_id=undefined at the first seller.
}
const AUTH_URL = setting('MP_AUTH_URL');
const API_URL = setting('MP_API_URL');
const CLIENT_ID = setting('MP_CLIENT_ID');
const CLIENT_SECRET = setting('MP_CLIENT_SECRET');
export const REDIRECT_URI = setting('MP_REDIRECT_URI');

export const attempts = new Map(); // hash of a state -> the linking that was started with it
export const links = new Map(); // account -> its link; a link is never changed, only replaced

export const newSecret = () => randomBytes(32).toString('base64url');
export const hash = (text) => createHash('sha256').update(String(text)).digest('hex');

/** The account must link, first or again. */
export class MustLink extends Error {}
/** Nobody's fault here; it may work later. */
export class Unavailable extends Error {}
class Refused extends Error {
  constructor(answer, body) {
    super(`Mercado Pago answered ${answer.status}`); // Its own text may hold anything.
    const after = answer.headers.get('retry-after') ?? ''; // Seconds, or a date.
    this.wait = (/^\d+$/.test(after) ? after * SECOND : Date.parse(after) - clock.now()) || 0;
    this.isFinal = answer.status < 500 && body?.error === 'invalid_grant';
    this.isAboutUs = answer.status === 429 || body?.error === 'invalid_client';
  }
}

// ---- linking ----

/** The URL at which the seller is asked, for one browser session and the account in it. */
export function startLinking(session, account) {
  for (const [key, { until }] of attempts) if (clock.now() >= until) attempts.delete(key);
  const [state, verifier] = [newSecret(), newSecret()];
  attempts.set(hash(state), { session, account, verifier, until: clock.now() + 10 * MINUTE });
  const url = new URL(AUTH_URL);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    platform_id: 'mp',
    redirect_uri: REDIRECT_URI, // From the settings: a Host header can be forged.
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return url.href;
}

/** Take the seller's answer; resolves to null once linked, or to what to tell the seller. */
export async function finishLinking(session, account, { state, code, error }) {
  const attempt = attempts.get(hash(state));
  // A state of somebody else's session is not spent: its owner may still come.
  if (!attempt || attempt.session !== session || attempt.account !== account) {
    return 'This did not begin in this browser, or too long ago.';
  }
  const answer = hash(error === undefined ? `code ${code}` : 'error');
  if (!attempt.outcome) {
    if (clock.now() >= attempt.until) return 'That took more than ten minutes.';
    if (error === undefined && (typeof code !== 'string' || !code)) return 'There was no answer.';
    // From here on it is spent, before anything is awaited: two callbacks may come at once.
    attempt.answer = answer;
    attempt.outcome = error === undefined ? exchange(attempt, code) : 'You declined.';
  }
  // A reload, or a double click, sees what the first one came to.
  return attempt.answer === answer ? attempt.outcome : 'This was answered already.';
}

async function exchange({ account, verifier }, code) {
  const grant = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
  try {
    const tokens = await requestTokens({ ...grant, code_verifier: verifier });
    if (!tokens.seller) throw new Error('the answer does not say whose tokens it has');
    // Notifications name a seller only: whose would they be? In SQL: a unique index.
    const owner = [...links.values()].find(({ seller }) => seller === tokens.seller);
    if (owner && owner.account !== account) return 'Another account here has linked this seller.';
    if (!tokens.refreshToken) log('not renewable: is offline_access missing?', { account });
    const link = { id: randomUUID(), account, status: 'linked', linkedAt: tokens.asked, ...tokens };
    const saved = await saveTokens(links.get(account), { ...link, failures: 0, retryAt: 0 });
    if (!saved) throw new Error('it was linked or unlinked meanwhile');
    log('linked', { account, seller: tokens.seller });
    return null;
  } catch (error) {
    log('linking failed', { account, because: error.message });
    return 'Mercado Pago did not confirm it.';
  }
}

/** Forget the tokens. What is in flight finds another link than it began with, and gives up. */
export function unlink(account) {
  if (!links.has(account)) return;
  links.set(account, { account, seller: null, status: 'unlinked' });
  log('unlinked', { account });
}

// ---- tokens ----

/** One request and never a second: it may have taken effect although no answer came. */
const post = (path, headers, body) =>
  fetch(API_URL + path, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'error', // It would carry secrets elsewhere.
    signal: AbortSignal.timeout(10 * SECOND),
  });

async function requestTokens(grant) {
  const asked = clock.now(); // Lifetimes count from here: rather too early than too late.
  const ours = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };
  const answer = await post('/oauth/token', {}, { ...ours, ...grant });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer, body);
  const { access_token: accessToken, refresh_token: refreshToken } = body ?? {};
  const seller = Number(body?.user_id ?? 0);
  if (typeof accessToken !== 'string' || !accessToken || !Number.isSafeInteger(seller)) {
    throw new Error('the answer does not have tokens');
  }
  // Every answer has its own lifetime. Without one: the shortest that is documented.
  const lifetime = Number(body.expires_in) > 0 ? body.expires_in * SECOND : 6 * HOUR;
  const tokens = { accessToken, asked, expiresAt: asked + lifetime };
  // What is absent must not replace what is known.
  if (seller) tokens.seller = seller;
  if (typeof refreshToken === 'string' && refreshToken) tokens.refreshToken = refreshToken;
  return tokens;
}

/** In SQL: UPDATE ... WHERE version = ?. Whoever unlinked or linked anew meanwhile has won. */
function replace(before, after) {
  if (links.get(after.account) !== before) return false;
  links.set(after.account, after);
  return true;
}

async function saveTokens(before, after) {
  for (let left = 2; ; left -= 1) {
    try {
      failAt('before_save');
      const saved = replace(before, after);
      failAt('after_save');
      return saved;
    } catch (error) {
      if (links.get(after.account) === after) return true; // It failed once it was written.
      if (!left) throw error; // Tried again before, as these tokens exist nowhere else.
    }
  }
}

const isDue = ({ asked, expiresAt }) =>
  clock.now() >= expiresAt - Math.min((expiresAt - asked) / 10, 15 * DAY);

// A refresh token works once. With several processes, this must be a lock that they share.
const refreshing = new Map(); // id of a link -> the one refresh of it that is in flight

function refresh({ id, account }) {
  if (!refreshing.has(id)) {
    refreshing.set(id, renew(links.get(account)).finally(() => refreshing.delete(id)));
  }
  return refreshing.get(id);
}

async function renew(link) {
  const { account } = link;
  const { refreshToken, ...lost } = { ...link, status: 'needs_relink' };
  if (clock.now() < link.retryAt) throw new Unavailable('it is too early to try again');
  if (!refreshToken) {
    replace(link, lost);
    throw new MustLink('there is no refresh token');
  }
  const renewing = { ...link, status: 'renewing' };
  replace(link, renewing); // Written down before the token may be spent.
  try {
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const tokens = await requestTokens(grant);
    if ((tokens.seller ?? link.seller) !== link.seller) throw new Error('it is another seller');
    const renewed = { ...link, status: 'linked', ...tokens, failures: 0, retryAt: 0 };
    const saved = await saveTokens(renewing, renewed).catch((error) => {
      replace(renewing, lost); // The old refresh token is spent, and the new one is gone.
      throw error;
    });
    if (!saved) throw new Error('it was unlinked or linked anew');
    log('renewed', { account });
    return renewed; // Stored first, used from now on.
  } catch (error) {
    log('renewal failed', { account, because: error.message });
    if (error.isFinal) replace(renewing, lost);
    // Anything else says nothing about the link. Wait longer each time, and as long as asked.
    const wait = Math.max(Math.min(SECOND * 2 ** link.failures, 5 * MINUTE), error.wait ?? 0);
    replace(renewing, { ...link, failures: link.failures + 1, retryAt: clock.now() + wait });
    if (!links.get(account)?.refreshToken) throw new MustLink();
    throw Object.assign(new Unavailable(), { isAboutUs: error.isAboutUs });
  }
}

/** The nightly job. */
export async function renewDue() {
  for (const account of [...links.keys()]) {
    const link = links.get(account);
    if (!link?.refreshToken || !isDue(link)) continue;
    const outcome = await refresh(link).catch((error) => error);
    if (outcome.isAboutUs) break; // The next seller's renewal would fail likewise.
  }
}
setInterval(renewDue, DAY).unref();

/** The account's own link, good for a call: never expired, never the platform's instead. */
async function usable(account) {
  const link = links.get(account);
  if (!link?.accessToken) throw new MustLink();
  if (!isDue(link)) return link;
  return refresh(link).catch((error) => {
    const current = links.get(account); // It may have been unlinked meanwhile.
    if (!current?.accessToken) throw new MustLink();
    if (clock.now() >= current.expiresAt) throw error;
    return current;
  });
}

export async function sell(account) {
  const key = { 'x-idempotency-key': randomUUID() }; // Of this sale, however often it is sent.
  const sale = { transaction_amount: 100, payment_method_id: 'master', description: 'Alfajores' };
  const charge = ({ accessToken }) =>
    post('/v1/payments', { ...key, authorization: `Bearer ${accessToken}` }, sale);
  let link = await usable(account);
  let answer = await charge(link);
  if (answer.status === 401) {
    const current = links.get(account); // Perhaps somebody else renews it, or has done so.
    if (current?.accessToken === link.accessToken && current.status !== 'renewing') {
      replace(current, { ...current, expiresAt: 0 }); // A refused token is as good as expired.
    }
    link = await usable(account);
    answer = await charge(link);
  }
  if (answer.status === 401) {
    replace(link, { ...link, status: 'needs_relink', refreshToken: null, expiresAt: 0 });
    throw new MustLink('a new token was refused too');
  }
  if (!answer.ok) throw new Unavailable();
  log('sold', { account, seller: link.seller });
}
