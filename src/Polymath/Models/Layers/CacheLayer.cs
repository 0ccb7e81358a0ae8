namespace Polymath.Models.Layers;

/// <summary>What one layer keeps of the tokens seen.</summary>
/// <param name="Width">K·S, elements of a token's keys and of its values; 0 for a layer without attention.</param>
/// <param name="HeadSize">S.</param>
/// <param name="Window">Positions a token sees; 0 for all. Older ones are not kept.</param>
/// <param name="StateLength">Floats of a recurrent layer's state; 0 for none.</param>
public readonly record struct CacheLayer(int Width, int HeadSize, int Window = 0, int StateLength = 0);
