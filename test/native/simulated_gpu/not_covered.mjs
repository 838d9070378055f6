export const notCovered = []
