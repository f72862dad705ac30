// Notifications: whether one is from Mercado Pago, and what it changes.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { links, unlink } from './links.mjs';
import { clock } from './testing.mjs';

const { MP_WEBHOOK_SECRET } = process.env;
const TOLERANCE = 5 * 60 * 1000;

/** Whether Mercado Pago has signed it, within the last five minutes. */
export function isGenuine({ signature = '', requestId, dataId }) {
  const parts = signature.split(',').map((part) => part.trim().split('=', 2));
  const { ts, v1 } = Object.fromEntries(parts);
  if (!MP_WEBHOOK_SECRET || !/^\d{1,15}$/.test(ts) || !/^[\da-f]{64}$/.test(v1)) return false;
  // The documentation says milliseconds, and its samples have seconds.
  const sentAt = ts.length > 11 ? Number(ts) : ts * 1000;
  if (Math.abs(clock.now() - sentAt) > TOLERANCE) return false; // An old one, sent again.
  const named = [['id', dataId], ['request-id', requestId], ['ts', ts]];
  const manifest = named.map(([name, value]) => (value ? `${name}:${value};` : '')).join('');
  const expected = createHmac('sha256', MP_WEBHOOK_SECRET).update(manifest).digest();
  return timingSafeEqual(expected, Buffer.from(v1, 'hex'));
}

/** Notifications come late, twice and out of order: only one newer than the link ends it. */
export function hear({ action, data, user_id: seller, date_created: at } = {}, signedId) {
  // What is signed is the id in the query: a body about something else is not to be believed.
  if (action !== 'application.deauthorized' || String(data?.id) !== signedId) return;
  for (const link of links.values()) {
    if (link.seller === seller && Date.parse(at) > link.linkedAt) unlink(link.account);
  }
}
