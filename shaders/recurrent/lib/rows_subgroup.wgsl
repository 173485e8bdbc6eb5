// What the ROWS sequences of a workgroup have at a place of `tile`: each lane reads that of one and hands it round, because
// on software GPUs a load costs far more than a product. Needs subgroups of at least LANES lanes.
enable subgroups;

// The number of a thread in its subgroup.
fn lane_number() -> u32 {
  return subgroupExclusiveAdd(1u);
}

fn rows_at(at: u32, lane: u32) -> array<Row, 8> {
  let low = tile[at + lane % min(LANES, ROWS)];
  var high = low;
  if (ROWS > LANES) {
    high = tile[at + LANES + lane % LANES];
  }
  return array<Row, 8>(
    subgroupBroadcast(low, 0u),
    subgroupBroadcast(low, 1u),
    subgroupBroadcast(low, 2u % ROWS),
    subgroupBroadcast(low, 3u % ROWS),
    subgroupBroadcast(high, 4u % LANES),
    subgroupBroadcast(high, 5u % LANES),
    subgroupBroadcast(high, 6u % LANES),
    subgroupBroadcast(high, 7u % LANES),
  );
}
