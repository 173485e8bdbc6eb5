/** Tunings in the browser: IndexedDB. */
import type { TuningStore } from "../io/tunings.ts";

const DATABASE = "tilegrad";
const TABLE = "tunings";

/** What a request of IndexedDB gives. */
const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function withTable<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await settled(opening);
  try {
    return await settled(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close();
  }
}

/** The browser's IndexedDB; elsewhere nothing is kept. */
export const indexedTunings: TuningStore = {
  async read(key) {
    if (!("indexedDB" in globalThis)) return null;
    return (await withTable<string | undefined>("readonly", (table) => table.get(key))) ?? null;
  },
  async write(key, text) {
    if ("indexedDB" in globalThis) await withTable("readwrite", (table) => table.put(text, key));
  },
};
