// The clock, the log, and what tests may do to this example. Leave it out of yours, or keep the
// endpoints that you want to test with: they exist only where TEST_TOKEN is set.
import { timingSafeEqual } from 'node:crypto';
import express from 'express';

const { TEST_TOKEN } = process.env;

export const clock = { ahead: 0, now: () => Date.now() + clock.ahead };

const lines = [];

/** Accounts, seller ids and our own words; never a token, a code, a state or what came back. */
export function log(event, facts) {
  const line = JSON.stringify({ at: new Date(clock.now()).toISOString(), event, ...facts });
  console.log(line);
  if (TEST_TOKEN) lines.push(line);
}

const fault = { point: '', times: 0 };

export function failAt(point) {
  if (fault.point !== point || fault.times === 0) return;
  fault.times -= 1;
  throw new Error('a test makes this save fail');
}

export function testEndpoints({ links, hash, renewDue, forget }) {
  const router = express.Router();
  const expected = Buffer.from(hash(`Bearer ${TEST_TOKEN}`));
  router.use((request, response, next) => {
    const given = Buffer.from(hash(request.get('authorization')));
    if (TEST_TOKEN && timingSafeEqual(given, expected)) next();
    else response.sendStatus(404);
  });
  router.use(express.json());
  router.post('/reset', (request, response) => {
    forget();
    clock.ahead = 0;
    Object.assign(fault, { point: '', times: 0 });
    lines.length = 0;
    response.sendStatus(204);
  });
  router.post('/clock', (request, response) => {
    clock.ahead += request.body.advance_seconds * 1000;
    response.sendStatus(204);
  });
  router.post('/run-jobs', async (request, response) => {
    await renewDue();
    response.sendStatus(204);
  });
  router.post('/fault', (request, response) => {
    Object.assign(fault, request.body);
    response.sendStatus(204);
  });
  router.get('/links', (request, response) => {
    response.json([...links.values()].map((link) => ({
      account: link.account,
      seller: link.seller,
      status: link.status,
      expires_at: link.expiresAt ? new Date(link.expiresAt).toISOString() : null,
      tokens: [link.accessToken, link.refreshToken].filter(Boolean).map(hash),
    })));
  });
  router.get('/logs', (request, response) => {
    response.json({ lines: lines.slice(Number(request.query.since ?? 0)), next: lines.length });
  });
  return router;
}
