// Of what comes too quickly, the newest.

/**
 * Calls `act` with the newest of what it is given, one call at a time: what came while it was busy
 * is left out but for the last.
 */
export function newest(act) {
  let busy = false;
  let next;
  return async function offer(value) {
    next = { value };
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const { value: current } = next;
        next = undefined;
        await act(current);
      }
    } finally {
      busy = false;
    }
  };
}
