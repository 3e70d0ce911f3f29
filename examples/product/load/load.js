// The plan's load test. `k6 run load/load.js`, or against another address: `k6 run -e ADDRESS=https://... load/load.js`.
// STAGES_SCALE=0.1 makes each stage a tenth as long, for a try.
import http from 'k6/http';
import { check, sleep } from 'k6';

const address = __ENV.ADDRESS || 'http://127.0.0.1:8080';
const scale = Number(__ENV.STAGES_SCALE || '1');

function stage(seconds, target) {
  return { duration: `${Math.max(1, Math.round(seconds * scale))}s`, target };
}

export const options = {
  stages: [
    stage(60, 20), // warm up
    stage(180, 50), // a busy hour
    stage(60, 100), // a peak
    stage(60, 0), // and down
  ],
  thresholds: {
    http_req_duration: ['p(95)<500'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
  },
};

const json = { headers: { 'Content-Type': 'application/json' } };

export default function () {
  const taken = http.post(`${address}/orders`, JSON.stringify({ item: 'tea', quantity: 1 }), {
    ...json,
    tags: { name: 'POST /orders' },
  });
  check(taken, { 'an order is taken': (response) => response.status === 201 });

  if (taken.status === 201) {
    const found = http.get(`${address}/orders/${taken.json('id')}`, { tags: { name: 'GET /orders/{number}' } });
    check(found, { 'and found': (response) => response.status === 200 });
  }

  const newest = http.get(`${address}/orders`, { tags: { name: 'GET /orders' } });
  check(newest, { 'and among the newest': (response) => response.status === 200 });

  sleep(1);
}
