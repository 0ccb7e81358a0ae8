using System.Numerics;
using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>The keys and values of one text, and the forward pass over what is added to it. One thread at a time.</summary>
public sealed class Session : IDisposable
{
    private readonly KvCache _cache;
    private readonly Arena _arena;
    private readonly Pass _pass;
    private readonly Tensor _lastLogits;    // [1, V]
    private readonly NativeBuffer _lastLogitsBuffer;
    private readonly int _batchSize;
    private NativeBuffer? _allLogitsBuffer; // [batch, V], made when first asked for

    internal Session(Model model, int capacity, SessionOptions options)
    {
        Model = model;
        _batchSize = Math.Min(model.BatchSize, capacity);
        int vocabulary = model.Settings.Vocabulary;
        _lastLogitsBuffer = new NativeBuffer(Arena.SizeOf(1, vocabulary));
        _lastLogits = Tensor.View(_lastLogitsBuffer, 0, 1, vocabulary);
        _cache = new KvCache(model.Decoder.CacheLayers, capacity, _batchSize, options.KeyFormat, options.ValueFormat);
        _arena = new Arena(model.Decoder.ScratchBytes(_batchSize));
        _pass = new Pass(model.Team, _arena, _cache, model.Settings, model.RopesFor(capacity));
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Tokens in the cache.</summary>
    public int Position { get; private set; }

    /// <summary>Tokens the cache can hold.</summary>
    public int Capacity => _cache.Capacity;

    /// <summary>Sees what goes into the linear layers; null unless something is measured.</summary>
    internal ILinearObserver? Observer
    {
        get => _pass.Observer;
        set => _pass.Observer = value;
    }

    /// <summary>Bytes of the cache, and of the buffers besides the rotations, which sessions share.</summary>
    internal (long Cache, long Buffers) Bytes =>
        (_cache.Bytes, _arena.Capacity + _lastLogitsBuffer.Length + (_allLogitsBuffer?.Length ?? 0));

    /// <summary>
    /// Adds <paramref name="ids"/> to the text, in batches, and returns the logits [V] after the last one.
    /// They stay valid until the next call. The bits do not depend on how a text is split into calls.
    /// </summary>
    /// <exception cref="InvalidOperationException">The text grows over <see cref="Capacity"/>.</exception>
    /// <exception cref="ArgumentException">No ids, or one that is not in the vocabulary.</exception>
    /// <exception cref="ModelFormatException">The logits are not finite: the weights are damaged.</exception>
    /// <exception cref="OperationCanceledException">
    /// Cancelled between layers. The text is as it was before the call, or, as after <see cref="Rewind"/>, shorter.
    /// </exception>
    public ReadOnlySpan<float> Forward(scoped ReadOnlySpan<int> ids, CancellationToken cancellation = default)
    {
        Check(ids);
        int start = Position;
        try
        {
            for (int done = 0; done < ids.Length;)
            {
                int count = Math.Min(_batchSize, ids.Length - done);
                _pass.Begin(Position, cancellation);
                Tensor hidden = Model.Decoder.Forward(_pass, ids.Slice(done, count));
                done += count;
                if (done == ids.Length)
                    Model.Decoder.Head(_pass, hidden.Slice(count - 1, 1), _lastLogits);
                if (done == ids.Length)
                    RequireFinite(_lastLogits);
                Position += count;
                _cache.Commit();
            }

            if (ids.Length > 1)
                _cache.TakeSnapshot(Position);   // the end of a prompt: what a later one may share with it
        }
        catch
        {
            Position = _cache.Rewind(Position, start);   // the batch that failed has changed nothing
            throw;
        }

        return _lastLogits.AsFloats();
    }

    /// <summary>
    /// Adds at most BatchSize <paramref name="ids"/> and returns the logits after every one of them, [ids, V].
    /// They stay valid until the next call.
    /// </summary>
    /// <exception cref="ArgumentException">No ids, too many, or one that is not in the vocabulary.</exception>
    public Tensor ForwardAll(scoped ReadOnlySpan<int> ids, CancellationToken cancellation = default)
    {
        CheckBatch(ids);
        int vocabulary = Model.Settings.Vocabulary;
        _allLogitsBuffer ??= new NativeBuffer(Arena.SizeOf(_batchSize, vocabulary));
        Tensor logits = Tensor.View(_allLogitsBuffer, 0, ids.Length, vocabulary);
        _pass.Begin(Position, cancellation);
        Model.Decoder.Head(_pass, Model.Decoder.Forward(_pass, ids), logits);
        RequireFinite(logits);
        Position += ids.Length;
        _cache.Commit();
        return logits;
    }

    /// <summary>
    /// Adds at most BatchSize <paramref name="ids"/> and returns their final hidden states [ids, D]. They stay valid until
    /// the next call.
    /// </summary>
    /// <exception cref="ArgumentException">No ids, too many, or one that is not in the vocabulary.</exception>
    internal Tensor ForwardHidden(scoped ReadOnlySpan<int> ids, CancellationToken cancellation)
    {
        CheckBatch(ids);
        _pass.Begin(Position, cancellation);
        Tensor hidden = Model.Decoder.Forward(_pass, ids);
        Position += ids.Length;
        _cache.Commit();
        return hidden;
    }

    /// <summary>
    /// Forgets what came after the first <paramref name="position"/> tokens and returns how many are left: as many, or fewer
    /// where a sliding window or a recurrent layer has forgotten what that would need; the rest is then to be added anew.
    /// A sliding window leaves none; a recurrent layer what ends with one of the last two calls that added several tokens.
    /// </summary>
    public int Rewind(int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, Position);
        Position = _cache.Rewind(Position, position);
        return Position;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _arena.Dispose();
        _lastLogitsBuffer.Dispose();
        _allLogitsBuffer?.Dispose();
    }

    private void CheckBatch(ReadOnlySpan<int> ids)
    {
        Check(ids);
        if (ids.Length > _batchSize)
            throw new ArgumentException($"{ids.Length} ids at once; a batch holds {_batchSize}", nameof(ids));
    }

    private void Check(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty)
            throw new ArgumentException("no ids to add", nameof(ids));
        if (ids.Length > Capacity - Position)
            throw new InvalidOperationException($"{Position} + {ids.Length} tokens do not fit a context of {Capacity}");
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)Model.Settings.Vocabulary)
                throw new ArgumentException($"id {id} is not in the vocabulary of {Model.Settings.Vocabulary}", nameof(ids));
        }
    }

    private void RequireFinite(Tensor logits)
    {
        for (int row = 0; row < logits.Rows; row++)
        {
            if (!AllFinite(logits.Row(row)))
                throw new ModelFormatException($"{Model.Source.Path}: the logits are not finite; the weights are damaged");
        }
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        // x − x is 0 for a finite x and NaN otherwise, and NaN stays in the sum.
        var sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = new Vector<float>(values[i..]);
            sum += v - v;
        }

        bool finite = Vector.EqualsAll(sum, Vector<float>.Zero);
        for (; i < values.Length; i++)
            finite &= float.IsFinite(values[i]);
        return finite;
    }
}
