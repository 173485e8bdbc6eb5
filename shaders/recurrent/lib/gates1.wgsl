// What belongs to the one gate of a unit.
alias Gates = f32;

fn narrow(v: vec4<f32>) -> Gates {
  return v.x;
}

fn wide(v: Gates) -> vec4<f32> {
  return vec4<f32>(v, 0.0, 0.0, 0.0);
}

fn total(a: Gates, b: Gates) -> f32 {
  return a * b;
}
