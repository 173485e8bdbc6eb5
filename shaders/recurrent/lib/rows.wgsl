// What the ROWS sequences of a workgroup have at a place of `tile`, for devices without subgroups.
fn rows_at(at: u32, lane: u32) -> array<Row, 8> {
  return array<Row, 8>(
    tile[at],
    tile[at + 1u],
    tile[at + 2u % ROWS],
    tile[at + 3u % ROWS],
    tile[at + 4u % ROWS],
    tile[at + 5u % ROWS],
    tile[at + 6u % ROWS],
    tile[at + 7u % ROWS],
  );
}

// Every thread reads for itself.
fn lane_number() -> u32 {
  return 0u;
}
