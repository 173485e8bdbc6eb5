/** The text of a Python program, which the bundle carries. */
declare module "*.py" {
  const source: string;
  export default source;
}
