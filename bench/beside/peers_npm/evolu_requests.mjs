// Writes requests of Evolu's protocol with its own encoders, so that the load generator need not know the layout.
//
// Each line of the standard input is a JSON object that asks for requests; each request comes back on the standard
// output as its length (32 bits, little-endian) and its bytes.
//   {"ask":"push","owner","write_key","first","batch","count","size"}   `count` pushes of `batch` messages each
//   {"ask":"pull","owner","after":[…],"most"}   for each place, what asks for at most `most` messages (0: any number)
// A message's place in its owner's history, 1, 2, …, is its timestamp, `EPOCH` + place milliseconds.
import { createInterface } from "node:readline";
import { randomFillSync } from "node:crypto";
import { idBytesToId } from "@evolu/common";
import {
  createProtocolMessageBuffer,
  createTimestampsBuffer,
  InfiniteUpperBound,
  MessageType,
  RangeType,
  timestampToTimestampBytes,
} from "@evolu/common/local-first";

const EPOCH = Date.UTC(2026, 0, 1);
const NODE = "00000000000000a1";

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const timestamp = (place) => ({ millis: EPOCH + place, counter: 0, nodeId: NODE });
const bound = (place) => timestampToTimestampBytes(timestamp(place));

function* push({ owner, write_key, first, batch, count, size }) {
  for (let index = 0; index < count; index++) {
    const message = createProtocolMessageBuffer(idBytesToId(bytes(owner)), {
      messageType: MessageType.Request,
      writeKey: bytes(write_key),
    });
    for (let place = first + index * batch; place < first + (index + 1) * batch; place++) {
      message.addMessage({ timestamp: timestamp(place), change: randomFillSync(new Uint8Array(size)) });
    }
    yield message.unwrap();
  }
}

function* pull({ owner, after, most }) {
  for (const place of after) {
    const message = createProtocolMessageBuffer(idBytesToId(bytes(owner)), { messageType: MessageType.Request });
    // A range's upper bound is exclusive: what is below it is skipped, of the next range the client holds nothing.
    if (place > 0) message.addRange({ type: RangeType.Skip, upperBound: bound(place + 1) });
    const upperBound = most > 0 ? bound(place + most + 1) : InfiniteUpperBound;
    message.addRange({ type: RangeType.Timestamps, upperBound, timestamps: createTimestampsBuffer() });
    if (most > 0) message.addRange({ type: RangeType.Skip, upperBound: InfiniteUpperBound });
    yield message.unwrap();
  }
}

const write = (chunk) => new Promise((resolve) => process.stdout.write(chunk, resolve));

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  for (const request of { push, pull }[asked.ask](asked)) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(request.length);
    await write(Buffer.concat([length, request]));
  }
}
