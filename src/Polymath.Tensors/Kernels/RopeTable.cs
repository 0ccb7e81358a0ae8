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
        var frequencies = new double[rotarySize / 2];
        for (int i = 0; i < frequencies.Length; i++)
            frequencies[i] = scale * Math.Pow(freqBase, -2.0 * i / rotarySize) / (frequencyFactors.IsEmpty ? 1 : frequencyFactors[i]);
        Positions = positions;
        RotarySize = rotarySize;
        _buffer = new NativeBuffer(checked((long)positions * rotarySize * sizeof(float)));
        Fill(frequencies, 1);
    }

    /// <summary>Computes angles from given frequencies.</summary>
    /// <param name="positions">Positions 0 … positions − 1 can be rotated.</param>
    /// <param name="frequencies">R/2 angles of one position, in radians.</param>
    /// <param name="magnitude">Factor on cosines and sines (YaRN's attention scaling, arXiv:2309.00071).</param>
    /// <exception cref="ArgumentException">No frequencies, or a value that is no number.</exception>
    public RopeTable(int positions, ReadOnlySpan<double> frequencies, float magnitude)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(positions);
        if (frequencies.IsEmpty || !float.IsFinite(magnitude))
            throw new ArgumentException($"RopeTable: {frequencies.Length} frequencies, magnitude {magnitude}", nameof(frequencies));
        foreach (double frequency in frequencies)
        {
            if (!double.IsFinite(frequency))
                throw new ArgumentException($"RopeTable: frequency {frequency}", nameof(frequencies));
        }

        Positions = positions;
        RotarySize = checked(2 * frequencies.Length);
        _buffer = new NativeBuffer(checked((long)positions * RotarySize * sizeof(float)));
        Fill(frequencies, magnitude);
    }

    /// <summary>Number of positions.</summary>
    public int Positions { get; }

    /// <summary>Elements rotated in each head.</summary>
    public int RotarySize { get; }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    /// <summary>The R/2 cosines of a position; its R/2 sines follow them.</summary>
    internal float* Cosines(int position) => (float*)_buffer.Data + ((nint)position * RotarySize);

    private void Fill(ReadOnlySpan<double> frequencies, double magnitude)
    {
        int half = RotarySize / 2;
        for (int p = 0; p < Positions; p++)
        {
            float* row = Cosines(p);
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(p * frequencies[i]);
                row[i] = (float)(cos * magnitude);
                row[half + i] = (float)(sin * magnitude);
            }
        }
    }
}
