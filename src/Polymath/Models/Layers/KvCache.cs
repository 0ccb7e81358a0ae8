using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>Keys and values of the tokens seen, one pair of F32 [capacity, K·S] tensors for each layer.</summary>
public sealed class KvCache : IDisposable
{
    private readonly NativeBuffer _buffer;
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>Reserves room for <paramref name="capacity"/> tokens; memory is taken as they come.</summary>
    public KvCache(ModelSettings settings, int capacity)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Capacity = capacity;
        _keys = new Tensor[settings.Layers];
        _values = new Tensor[settings.Layers];
        long each = Arena.SizeOf(capacity, settings.KeyValueWidth);
        _buffer = new NativeBuffer(checked(2 * each * settings.Layers));
        for (int layer = 0; layer < settings.Layers; layer++)
        {
            _keys[layer] = Tensor.View(_buffer, 2L * layer * each, capacity, settings.KeyValueWidth);
            _values[layer] = Tensor.View(_buffer, ((2L * layer) + 1) * each, capacity, settings.KeyValueWidth);
        }
    }

    /// <summary>Tokens there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Keys of <paramref name="layer"/>: [capacity, K·S].</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>Values of <paramref name="layer"/>: [capacity, K·S].</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}
