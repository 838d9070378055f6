/** Settings of `train` that say how a trained network looks at images in files, where its own do not count. */
export const lookKeys = ['val-crop-size', 'val-resize-size', 'workers', 'max-corrupt'] as const
