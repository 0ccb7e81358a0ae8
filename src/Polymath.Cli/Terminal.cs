using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>
/// What a command talks through: three streams, whether a person or a program is at the other end, and the wish to
/// stop. The one place that touches the process's console, so that tests run commands in-process.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private const int LongestLine = 8 << 20;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<Stream> _input;
    private PosixSignalRegistration? _interrupt;

    /// <summary>Makes a terminal over given streams; none of them counts as a terminal until said so.</summary>
    public Terminal(Stream input, Stream output, TextWriter error)
        : this(() => input, output, error)
    {
    }

    private Terminal(Func<Stream> input, Stream output, TextWriter error)
    {
        _input = new Lazy<Stream>(input);
        Output = output;
        Error = error;
        Out = new StreamWriter(output, Utf8, bufferSize: 4096, leaveOpen: true) { NewLine = "\n" };
    }

    /// <summary>Standard input, as bytes; opened at first use, because opening a keyboard changes the mode of the terminal.</summary>
    public Stream Input => _input.Value;

    /// <summary>Standard output, as bytes, unbuffered.</summary>
    public Stream Output { get; }

    /// <summary>Standard output as UTF-8 text without a byte order mark; flushed when the command ends.</summary>
    public TextWriter Out { get; }

    /// <summary>Standard error: messages and progress.</summary>
    public TextWriter Error { get; }

    /// <summary>A person is typing the input.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>A person is reading the output.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>A person is reading the messages; progress may redraw its line.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Environment variables; tests give their own.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The memory of the machine; tests give their own.</summary>
    public Func<MachineMemory> Memory { get; init; } = MachineMemory.Read;

    /// <summary>
    /// What Ctrl-C does instead, where a command has its own use for it. False lets it end the process, which may be waiting
    /// for the keyboard.
    /// </summary>
    public Func<bool>? OnInterrupt { get; set; }

    /// <summary>Signalled by the first Ctrl-C; the second one ends the process at once.</summary>
    public CancellationToken Cancellation => _stop.Token;

    /// <summary>The terminal of this process. Takes over Ctrl-C.</summary>
    public static Terminal OfProcess()
    {
        var error = new StreamWriter(new ForgivingStream(Console.OpenStandardError()), Utf8) { AutoFlush = true, NewLine = "\n" };
        var terminal = new Terminal(Console.OpenStandardInput, OpenOutput(), error)
        {
            InputIsTerminal = !Console.IsInputRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
        if (OperatingSystem.IsWindows() && terminal.OutputIsTerminal)
            Console.OutputEncoding = Utf8;
        terminal._interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            if (terminal.OnInterrupt is { } own)
            {
                signal.Cancel = own();
                return;
            }

            signal.Cancel = !terminal._stop.IsCancellationRequested;
            terminal.Interrupt();
        });
        return terminal;
    }

    /// <summary>Writes to standard output at once, as it is.</summary>
    public void WriteNow(ReadOnlySpan<char> text)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Utf8.GetMaxByteCount(text.Length));
        Output.Write(bytes, 0, Utf8.GetBytes(text, bytes));
        Output.Flush();
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Asks a question that a line of the input answers; an empty one means yes.</summary>
    public bool Ask(string question)
    {
        Error.Write($"{question} [Y/n] ");
        return (ReadLine() ?? "").Trim().ToUpperInvariant() is "" or "Y" or "YES";
    }

    /// <summary>The next line of the input without its end, or null at the end of the input.</summary>
    /// <exception cref="InvalidDataException">Longer than <see cref="LongestLine"/> bytes.</exception>
    public string? ReadLine()
    {
        var line = new List<byte>();
        int next;
        while ((next = Input.ReadByte()) is >= 0 and not '\n')
        {
            if (line.Count == LongestLine)
                throw new InvalidDataException($"a line of the input is longer than {Figures.Bytes(LongestLine)}");
            line.Add((byte)next);
        }

        if (next < 0 && line.Count == 0)
            return null;
        string text = Utf8.GetString(CollectionsMarshal.AsSpan(line));
        return text.EndsWith('\r') ? text[..^1] : text;
    }

    /// <summary>Does what Ctrl-C does.</summary>
    public void Interrupt()
    {
        if (OnInterrupt is { } own)
            own();
        else
            _stop.Cancel();
    }

    /// <summary>True when the reader of standard output has gone away, as in <c>polymath … | head</c>.</summary>
    public static bool IsBrokenPipe(IOException exception) => OperatingSystem.IsWindows()
        ? exception.HResult is unchecked((int)0x8007006D) or unchecked((int)0x800700E8)
        : exception.HResult == 32;   // EPIPE on Linux and macOS

    /// <inheritdoc/>
    public void Dispose()
    {
        _interrupt?.Dispose();
        _stop.Dispose();
    }

    /// <summary>
    /// The console's own stream hides a broken pipe, and a long generation would go on for nobody; a file stream
    /// reports it. A seekable output keeps the console's stream, which writes where the shell left off.
    /// </summary>
    private static Stream OpenOutput()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            try
            {
                var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
                if (!pipe.CanSeek)
                    return pipe;
            }
            catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
            {
                // Closed (1>&-) or odd: the console's stream swallows what is written.
            }
        }

        return Console.OpenStandardOutput();
    }
}
