using System.Numerics;
using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>
/// Tokens of several texts that go through the layers together, so that the weights are read once for all of them: add
/// each text's next tokens, then run. A text's bits do not depend on the texts beside it. One thread at a time; nothing
/// is allocated on the managed heap once a batch of some size has run.
/// </summary>
public sealed class Batch : IDisposable
{
    private readonly Model _model;
    private readonly Arena _arena;
    private readonly Pass _pass;
    private readonly NativeBuffer _logitsBuffer;   // [texts, V]
    private readonly int[] _ids;
    private readonly Session[] _sessions;
    private readonly Pass.Stretch[] _stretches;
    private readonly int[] _rows;                  // of each text: its row of the logits, or −1
    private NativeBuffer? _allLogitsBuffer;        // [tokens, V], made when first asked for

    internal Batch(Model model, int tokens, int texts)
    {
        _model = model;
        _ids = new int[tokens];
        _sessions = new Session[texts];
        _stretches = new Pass.Stretch[texts];
        _rows = new int[texts];
        _arena = new Arena(model.Decoder.ScratchBytes(tokens));
        _logitsBuffer = new NativeBuffer(Arena.SizeOf(texts, model.Settings.Vocabulary));
        _pass = new Pass(model.Team, _arena, model.Settings);
    }

    /// <summary>Tokens it can take.</summary>
    public int Capacity => _ids.Length;

    /// <summary>Texts it can take.</summary>
    public int MaxTexts => _sessions.Length;

    /// <summary>Tokens added since the last run.</summary>
    public int Tokens { get; private set; }

    /// <summary>Texts added since the last run.</summary>
    public int Texts { get; private set; }

    /// <summary>Sees what goes into the linear layers; null unless something is measured.</summary>
    internal ILinearObserver? Observer
    {
        get => _pass.Observer;
        set => _pass.Observer = value;
    }

    /// <summary>Bytes of its buffers.</summary>
    internal long Bytes => _arena.Capacity + _logitsBuffer.Length + (_allLogitsBuffer?.Length ?? 0);

    private int LogitRows { get; set; }

    /// <summary>Adds the next tokens of a text.</summary>
    /// <param name="session">The text; not one that is in the batch already.</param>
    /// <param name="ids">Its next tokens.</param>
    /// <param name="logits">Whether the logits after the last of them are wanted.</param>
    /// <returns>The row of <see cref="Forward"/>'s result that will hold them, or −1.</returns>
    /// <exception cref="ArgumentException">No ids, one that is not in the vocabulary, or a text of another model.</exception>
    /// <exception cref="InvalidOperationException">The batch is full, or the text grows over its capacity.</exception>
    public int Add(Session session, scoped ReadOnlySpan<int> ids, bool logits = true)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Check(ids);
        if (session.Model != _model)
            throw new ArgumentException("a text of another model", nameof(session));
        if (ids.Length > Capacity - Tokens || Texts == MaxTexts)
            throw new InvalidOperationException($"the batch holds {Tokens} of {Capacity} tokens, {Texts} of {MaxTexts} texts; {ids.Length} more do not fit");
        if (Contains(session))
            throw new ArgumentException("the text is in the batch already", nameof(session));
        ids.CopyTo(_ids.AsSpan(Tokens));
        Tokens += ids.Length;
        _sessions[Texts] = session;
        _stretches[Texts] = new Pass.Stretch(Tokens, session.Position, session.Cache, session.Ropes);
        _rows[Texts] = logits ? LogitRows++ : -1;
        return _rows[Texts++];
    }

    /// <summary>Whether tokens of <paramref name="session"/> were added.</summary>
    public bool Contains(Session session) => Array.IndexOf(_sessions, session, 0, Texts) >= 0;

    /// <summary>Forgets what was added.</summary>
    public void Clear()
    {
        Array.Clear(_sessions, 0, Texts);
        Array.Clear(_stretches, 0, Texts);
        (Tokens, Texts, LogitRows) = (0, 0, 0);
    }

    /// <summary>
    /// Runs the tokens that were added and empties the batch. Returns the logits [rows, V] that were asked for; they stay
    /// valid until the next run.
    /// </summary>
    /// <exception cref="InvalidOperationException">The pool of a text's pages is exhausted.</exception>
    /// <exception cref="ModelFormatException">Logits, keys or values are not finite: the weights are damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between layers. After this, as after any exception, the texts are as they were.</exception>
    public Tensor Forward(CancellationToken cancellation = default)
    {
        try
        {
            Tensor hidden = RunLayers(cancellation);
            Tensor logits = Tensor.View(_logitsBuffer, 0, LogitRows, _model.Settings.Vocabulary);
            if (LogitRows > 0)
            {
                _model.Decoder.Head(_pass, LastRows(hidden), logits);
                RequireFinite(logits);
            }

            Commit();
            return logits;
        }
        finally
        {
            Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arena.Dispose();
        _logitsBuffer.Dispose();
        _allLogitsBuffer?.Dispose();
    }

    /// <summary>The same with the logits after every token: [tokens, V].</summary>
    internal Tensor ForwardAll(CancellationToken cancellation)
    {
        try
        {
            int vocabulary = _model.Settings.Vocabulary;
            _allLogitsBuffer ??= new NativeBuffer(Arena.SizeOf(Capacity, vocabulary));
            Tensor logits = Tensor.View(_allLogitsBuffer, 0, Tokens, vocabulary);
            _model.Decoder.Head(_pass, RunLayers(cancellation), logits);
            RequireFinite(logits);
            Commit();
            return logits;
        }
        finally
        {
            Clear();
        }
    }

    /// <summary>The same with the final hidden states [tokens, D] in the place of logits.</summary>
    internal Tensor ForwardHidden(CancellationToken cancellation)
    {
        try
        {
            Tensor hidden = RunLayers(cancellation);
            Commit();
            return hidden;
        }
        finally
        {
            Clear();
        }
    }

    private Tensor RunLayers(CancellationToken cancellation)
    {
        for (int i = 0; i < Texts; i++)
        {
            if (!_sessions[i].Cache.TryReserve(_sessions[i].Position, LengthOf(i)))
                throw new InvalidOperationException("the pool of pages for keys and values is exhausted");
        }

        _pass.Begin(_stretches.AsSpan(0, Texts), cancellation);
        return _model.Decoder.Forward(_pass, _ids.AsSpan(0, Tokens));
    }

    /// <summary>The last hidden state of each text whose logits are wanted: [rows, D].</summary>
    private Tensor LastRows(Tensor hidden)
    {
        if (Texts == 1)
            return hidden.Slice(Tokens - 1, 1);
        Tensor last = _pass.Rent(LogitRows, hidden.Columns);
        for (int i = 0; i < Texts; i++)
        {
            if (_rows[i] >= 0)
                hidden.Row(_stretches[i].End - 1).CopyTo(last.Row(_rows[i]));
        }

        return last;
    }

    private void Commit()
    {
        for (int i = 0; i < Texts; i++)
            _sessions[i].Advance(LengthOf(i));
    }

    private int LengthOf(int text) => _stretches[text].End - (text == 0 ? 0 : _stretches[text - 1].End);

    private void RequireFinite(Tensor logits)
    {
        for (int row = 0; row < logits.Rows; row++)
        {
            if (!AllFinite(logits.Row(row)))
                throw new ModelFormatException($"{_model.Source.Path}: the logits are not finite; the weights are damaged");
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
