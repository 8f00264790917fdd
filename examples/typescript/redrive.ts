// Gives the dead letters of a group back to it, once the reason is mended.
//
// usage: npm run build && node built/redrive.js HOST:PORT STREAM
//
// Each letter is back in the group or still in STREAM:dead, whenever this stops. So after an
// error, run it again.
import { createClient } from 'redis';

async function main(address: string, stream: string): Promise<void> {
  const client = createClient({ url: `redis://${address}` });
  client.on('error', (error: Error) => console.error(error.message));
  await client.connect();
  let start = '0-0';
  let count = 0;
  do {
    // A call takes a part of them, and says where the next one goes on.
    const [next, back] = await client.sendCommand<[string, string[]]>(
      ['XREDRIVE', `${stream}:dead`, stream, 'GROUP', 'workers', 'START', start],
    );
    start = next;
    count += back.length;
  } while (start !== '0-0');
  console.log(`${count} are back`);
  await client.close();
}

const [address, stream] = process.argv.slice(2);
await main(address, stream);
