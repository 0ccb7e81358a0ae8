namespace Polymath.Tensors;

/// <summary>
/// Cosines and sines of rotary position embedding (Su et al. 2021, arXiv:2104.09864):
/// angle(p, i) = p · scale · base^(−2i/R) / factor[i], computed in double precision and rounded once.
/// </summary>
public sealed unsafe class RopeTable : IDisposable
{
    private readonly NativeBuffer _buffer;

    /// <summary>Computes the angles of <paramref name="positions"/> positions.</summary>
    /// <param name="positions">Positions 0 … positions − 1 can be rotated.</param>
    /// <param name="rotarySize">R, the elements of each head that are rotated; even.</param>
    /// <param name="freqBase">Base of the frequencies, 10,000 in the paper.</param>
    /// <param name="scale">Factor on the position (linear context scaling).</param>
    /// <param name="frequencyFactors">R/2 divisors of the frequencies (the tensor rope_freqs of Llama 3.1), or none.</param>
    /// <exception cref="ArgumentException">A size or factor that makes no sense.</exception>
    public RopeTable(int positions, int rotarySize, float freqBase, float scale = 1, ReadOnlySpan<float> frequencyFactors = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(positions);
        if (rotarySize <= 0 || rotarySize % 2 != 0)
            throw new ArgumentException($"RopeTable: rotary size {rotarySize} is not even and positive", nameof(rotarySize));
        if (!(freqBase > 0) || !float.IsFinite(freqBase) || !float.IsFinite(scale))
            throw new ArgumentException($"RopeTable: base {freqBase}, scale {scale}", nameof(freqBase));
        if (frequencyFactors.Length != 0 && frequencyFactors.Length != rotarySize / 2)
            throw new ArgumentException($"RopeTable: {frequencyFactors.Length} frequency factors for rotary size {rotarySize}", nameof(frequencyFactors));
        Positions = positions;
        RotarySize = rotarySize;
        _buffer = new NativeBuffer(checked((long)positions * rotarySize * sizeof(float)));
        Fill(freqBase, scale, frequencyFactors);
    }

    /// <summary>Number of positions.</summary>
    public int Positions { get; }

    /// <summary>Elements rotated in each head.</summary>
    public int RotarySize { get; }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    /// <summary>The R/2 cosines of a position; its R/2 sines follow them.</summary>
    internal float* Cosines(int position) => (float*)_buffer.Data + ((nint)position * RotarySize);

    private void Fill(float freqBase, float scale, ReadOnlySpan<float> factors)
    {
        int half = RotarySize / 2;
        for (int i = 0; i < half; i++)
        {
            double frequency = scale * Math.Pow(freqBase, -2.0 * i / RotarySize) / (factors.IsEmpty ? 1 : factors[i]);
            for (int p = 0; p < Positions; p++)
            {
                (double sin, double cos) = Math.SinCos(p * frequency);
                Cosines(p)[i] = (float)cos;
                Cosines(p)[half + i] = (float)sin;
            }
        }
    }
}
