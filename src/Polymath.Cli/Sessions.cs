using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>Opens models and sessions with the checks every command wants.</summary>
internal static class Sessions
{
    /// <summary>Environment variable that lets a model load, with 1, that will not fit into memory.</summary>
    public const string ForceVariable = "POLYMATH_FORCE";

    private const int ShortText = 512;   // tokens

    /// <summary>
    /// Loads a model for one session, once it is known that both fit: what can never fit is refused before anything is
    /// loaded, what does not fit now is a warning.
    /// </summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="threads">Threads to compute with; 0 for one per processor.</param>
    /// <param name="session">The session that will be opened.</param>
    /// <param name="terminal">Where the warning goes.</param>
    /// <exception cref="InvalidOperationException">Model and session will not fit into memory, or the model has no such cache.</exception>
    public static Model Load(string path, int threads, Func<ModelSettings, SessionOptions> session, Terminal terminal)
    {
        WeightSource source = WeightSource.Open(path);
        try
        {
            if (ModelOutline.Read(source) is { Writes: true } outline)
                Check(MemoryVerdict.Of(outline, session(outline.Settings), terminal.Memory()), path, terminal);
        }
        catch (Exception e)
        {
            source.Dispose();
            if (e is ArgumentException)
                throw new InvalidOperationException(e.Message, e);
            throw;
        }

        return Model.Load(source, new ModelOptions { Threads = threads });
    }

    /// <summary>
    /// Loads a model that embeds or ranks, with the same checks. A decoder's cache grows with the texts; only that of short
    /// ones is counted.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model will not fit into memory.</exception>
    public static TextEncoder LoadEncoder(string path, TextEncoderOptions options, Terminal terminal)
    {
        WeightSource source = WeightSource.Open(path);
        try
        {
            var outline = ModelOutline.Read(source);
            var session = new SessionOptions
            {
                ContextLength = Math.Min(ShortText, outline.Settings.ContextLength),
                KeyFormat = TensorFormat.F32,
                ValueFormat = TensorFormat.F32,
            };
            Check(MemoryVerdict.Of(outline, session, terminal.Memory()), path, terminal);
        }
        catch
        {
            source.Dispose();
            throw;
        }

        return TextEncoder.Load(source, options);
    }

    /// <summary>A session of the given kind.</summary>
    /// <exception cref="InvalidOperationException">The model has no such cache.</exception>
    public static Session Open(Model model, SessionOptions options)
    {
        try
        {
            return model.NewSession(options);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }

    private static void Check(MemoryVerdict verdict, string path, Terminal terminal)
    {
        if (verdict.Fit == MemoryFit.ExceedsMachine && terminal.Variable(ForceVariable) != "1")
            throw new InvalidOperationException($"{path}: {verdict.Text} ({ForceVariable}=1 goes on anyway)");
        if (verdict.Fit != MemoryFit.Fits)
            terminal.Error.WriteLine($"polymath: warning: {Printable.OneLine(path)}: {verdict.Text}");
    }
}
