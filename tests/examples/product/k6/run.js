// Runs one iteration of the script beside it, and tells its checks and its options.
import { checks } from 'k6';

globalThis.__ENV = { ADDRESS: process.argv[3], STAGES_SCALE: '0.1' };
const script = await import(process.argv[2]);
script.default();
console.log(JSON.stringify({ checks, options: script.options }));
