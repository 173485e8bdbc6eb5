// One thread for WIDTH elements; everything it computes is in the hook.

const WG: u32 = 64;
const WIDTH: u32 = 1;

struct Params {
  count: u32,
}

@group(1) @binding(0) var<uniform> params: Params;

fn compute(i: u32) {
  _ = i;
}

fn item(i: u32) {
  compute(i * WIDTH);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (i * WIDTH < params.count) {
    item(i);
  }
}
