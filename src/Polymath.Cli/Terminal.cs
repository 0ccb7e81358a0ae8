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
            signal.Cancel = !terminal._stop.IsCancellationRequested;
            terminal.Interrupt();
        });
        return terminal;
    }

    /// <summary>Asks a question that a line of the input answers; an empty one means yes.</summary>
    public bool Ask(string question)
    {
        Error.Write($"{question} [Y/n] ");
        var answer = new StringBuilder();
        for (int next; (next = Input.ReadByte()) is >= 0 and not '\n';)
            answer.Append((char)next);
        return answer.ToString().Trim().ToUpperInvariant() is "" or "Y" or "YES";
    }

    /// <summary>Does what the first Ctrl-C does.</summary>
    public void Interrupt() => _stop.Cancel();

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
