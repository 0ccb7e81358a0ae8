using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>
/// The keys and values of one text. What is added to it goes through the layers alone (<see cref="Forward"/>) or beside
/// other texts of the model (<see cref="Batch"/>). One thread at a time.
/// </summary>
public sealed class Session : IDisposable
{
    private readonly KvPool? _ownPool;
    private Batch? _alone;   // made when the text first goes alone

    /// <summary>A text with memory of its own.</summary>
    internal Session(Model model, int capacity, SessionOptions options)
    {
        Model = model;
        Ropes = model.RopesFor(capacity);
        _ownPool = new KvPool(
            model.Decoder.CacheLayers, capacity, 1, Math.Min(model.BatchSize, capacity), options.KeyFormat, options.ValueFormat);
        Cache = new KvCache(_ownPool, capacity);
    }

    /// <summary>A text that takes its pages from <paramref name="pool"/>.</summary>
    internal Session(Model model, int capacity, KvPool pool)
    {
        Model = model;
        Ropes = model.RopesFor(capacity);
        Cache = new KvCache(pool, capacity);
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Tokens in the cache.</summary>
    public int Position { get; private set; }

    /// <summary>Tokens the cache can hold.</summary>
    public int Capacity => Cache.Capacity;

    /// <summary>Sees what goes into the linear layers; null unless something is measured.</summary>
    internal ILinearObserver? Observer
    {
        get => Alone.Observer;
        set => Alone.Observer = value;
    }

    internal KvCache Cache { get; }

    /// <summary>The rotations for its positions.</summary>
    internal RopeTable[] Ropes { get; }

    /// <summary>Bytes of the cache, and of the buffers besides the rotations, which sessions share.</summary>
    internal (long Cache, long Buffers) Bytes =>
        ((_ownPool?.Bytes ?? 0) + KvCache.StateBytes(Model.Decoder.CacheLayers), Alone.Bytes);

    private Batch Alone => _alone ??= new Batch(Model, Math.Min(Model.BatchSize, Capacity), 1);

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
        Tensor logits = default;
        try
        {
            for (int done = 0; done < ids.Length;)
            {
                int count = Math.Min(Alone.Capacity, ids.Length - done);
                Alone.Add(this, ids.Slice(done, count), done + count == ids.Length);
                logits = Alone.Forward(cancellation);
                done += count;
            }

            if (ids.Length > 1)
                Cache.TakeSnapshot(Position);   // the end of a prompt: what a later one may share with it
        }
        catch
        {
            Position = Cache.Rewind(Position, start);   // the batch that failed has changed nothing
            throw;
        }

        return logits.AsFloats();
    }

    /// <summary>
    /// Adds at most BatchSize <paramref name="ids"/> and returns the logits after every one of them, [ids, V].
    /// They stay valid until the next call.
    /// </summary>
    /// <exception cref="ArgumentException">No ids, too many, or one that is not in the vocabulary.</exception>
    public Tensor ForwardAll(scoped ReadOnlySpan<int> ids, CancellationToken cancellation = default)
    {
        AddAll(ids);
        return Alone.ForwardAll(cancellation);
    }

    /// <summary>
    /// Adds at most BatchSize <paramref name="ids"/> and returns their final hidden states [ids, D]. They stay valid until
    /// the next call.
    /// </summary>
    /// <exception cref="ArgumentException">No ids, too many, or one that is not in the vocabulary.</exception>
    internal Tensor ForwardHidden(scoped ReadOnlySpan<int> ids, CancellationToken cancellation)
    {
        AddAll(ids);
        return Alone.ForwardHidden(cancellation);
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
        Position = Cache.Rewind(Position, position);
        return Position;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cache.Dispose();
        _ownPool?.Dispose();
        _alone?.Dispose();
    }

    /// <summary>Refuses ids that cannot be added.</summary>
    internal void Check(ReadOnlySpan<int> ids)
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

    /// <summary>A pass has added <paramref name="count"/> tokens.</summary>
    internal void Advance(int count)
    {
        Position += count;
        Cache.Commit();
    }

    /// <summary>An empty text begins with <paramref name="tokens"/> tokens of another, whose pages these are. False where the pool is exhausted.</summary>
    internal bool TryBegin(ReadOnlySpan<int[]> pages, int tokens)
    {
        if (!Cache.TryBegin(pages, tokens))
            return false;
        Position = tokens;
        return true;
    }

    private void AddAll(ReadOnlySpan<int> ids)
    {
        Check(ids);
        if (ids.Length > Alone.Capacity)
            throw new ArgumentException($"{ids.Length} ids at once; a batch holds {Alone.Capacity}", nameof(ids));
        Alone.Add(this, ids);
    }
}
