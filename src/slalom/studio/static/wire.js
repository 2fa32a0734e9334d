// Messages of the studio; wire.py says how they are packed.

const ARRAYS = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };

/** Header and arrays of a message. An array has its shape beside it. */
export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const [name, { type, shape, at }] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, side) => product * side, 1);
    header[name] = new ARRAYS[type](buffer, 4 + length + at, size);
    header[name].shape = shape;
  }
  return header;
}
